"""Credentials for servers over the API: what comes in never comes out."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.torhaus.admin.hall import ALICE, BOB, DANA, JANE, rules
from tests.torhaus.admin.test_vaulting import connection
from tests.torhaus.admin.vaulted import NEW, OLD, stored
from tests.torhaus.api.counter import Answer, Counter, play
from tests.torhaus.cast import run
from torhaus.audit.shape import timestamp
from torhaus.model.rings import Holder

IN = {"kind": "bearer", "secret": OLD}


def play_with(path: Path, story: Callable[[Counter], Awaitable[None]]) -> None:
    async def ready(at: Counter) -> None:
        at.hall.rules = rules(servers={"github": stored(), "jira": stored("jira")})
        await story(at)

    run(play(path, ready))


def test_a_credential_goes_its_whole_way_and_no_answer_holds_it(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        answers: list[Answer] = [
            await at.post("credentials/github", BOB, IN),
            await at.post("credentials/github/rotate", BOB, {"secret": NEW}),
            await at.get("credentials", BOB),
            await at.post("credentials/github/rollback", BOB),
            await at.post("credentials/rekey", DANA),
            await at.get("credentials?server=github", DANA),
        ]

        assert [each.status for each in answers] == [200] * 6, answers
        for each in answers:
            assert OLD not in each.text
            assert NEW not in each.text
        assert [each["state"] for each in answers[2].json] == ["current", "previous"]
        assert answers[5].json[0]["version"] == 1
        assert answers[5].json[0]["age_days"] == 0
        gone = await at.ask("DELETE", "/api/v1/credentials/github", BOB)
        assert gone.json == {"server": "github", "user": None}
        records = json.dumps([bytes(each.parameters).decode() for each in at.hall.ledger.durable])
        assert OLD not in records
        assert NEW not in records

    play_with(tmp_path, story)


def test_each_sees_his_own_and_what_he_may_change(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        await at.post("credentials/github", DANA, IN)
        await at.post("credentials/jira", DANA, IN)
        async with at.hall.office.write() as desk:
            await desk.vault.add(connection(at.hall, ALICE.email))

        def servers(found: Answer) -> list[tuple[str, str | None]]:
            return [(each["server"], each["user"]) for each in found.json]

        assert servers(await at.get("credentials", ALICE)) == [("github", ALICE.email)]
        assert servers(await at.get("credentials", JANE)) == [("jira", None)]
        assert len(servers(await at.get("credentials", DANA))) == 3
        mine = await at.ask("DELETE", f"/api/v1/credentials/github?user={ALICE.email}", ALICE)
        assert mine.status == 200

    play_with(tmp_path, story)


def test_the_day_until_which_policy_wants_another_is_told(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        made = (await at.post("credentials/github", DANA, IN)).json
        async with at.hall.office.write() as desk:
            await desk.vault.add(connection(at.hall, ALICE.email))

        (mine,) = (await at.get("credentials", ALICE)).json

        assert made["rotate_by"] == timestamp(at.hall.clock.now + 90 * 86400)
        assert mine["rotate_by"] is None  # it is renewed by itself

    play_with(tmp_path, story)


def test_who_may_not_is_told_so_without_the_secret(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        for path in ("credentials/github", "credentials/github/rotate"):
            body = IN if path.endswith("github") else {"secret": OLD}
            refused = await at.post(path, ALICE, body)
            assert refused.problem == (403, "not_allowed")
            assert OLD not in refused.text
        assert (await at.post("credentials/rekey", ALICE)).problem == (403, "not_allowed")
        async with at.hall.office.write() as desk:
            await desk.rings.announce(Holder("x", "far-away", (), at.hall.clock.now))
        lacking = await at.post("credentials/rekey", DANA)
        assert lacking.problem == (409, "conflict")
        assert "far-away" in lacking.text
        wrong = await at.post("credentials/github", DANA, {**IN, "kind": "other", "x": OLD})
        assert wrong.problem == (422, "invalid")
        assert OLD not in wrong.text

    play_with(tmp_path, story)
