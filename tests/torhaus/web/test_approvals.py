import asyncio
import re
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, MALLORY, key
from tests.torhaus.api.counter import Answer, Counter, play
from tests.torhaus.cast import run
from tests.torhaus.web.house import hidden as field
from tests.torhaus.web.house import house
from torhaus.model.approval import Approval, State
from torhaus.model.signin import LocalAccounts
from torhaus.web.session import login_url

FORM = {"content-type": "application/x-www-form-urlencoded"}


async def link(at: Counter, **changes: object) -> tuple[Approval, str]:
    asked = await at.hall.asked(**changes)
    url = at.hall.links.url(asked)
    assert url is not None
    return asked, url.removeprefix("https://gw.example.org")


def hidden(page: Answer) -> str:
    found = re.search(r'name="form" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return unescape(found[1])


async def post(at: Counter, path: str, **fields: str) -> Answer:
    return await at.ask("POST", path, None, urlencode(fields).encode(), FORM)


def test_a_link_shows_the_call_and_changes_nothing(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked, path = await link(at, arguments='{"title": "<script>alert(1)</script>"}')
        before = len(at.hall.ledger.durable)

        page = await at.ask("GET", path)

        assert page.status == 200
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
        assert "<script" not in page.text
        for fact in ("github", "merge_pull_request", "merges need a second person", ALICE.email):
            assert fact in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "form-action 'self'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin"
        assert len(at.hall.ledger.durable) == before
        assert await at.hall.state(asked.id) is State.PENDING

    run(play(tmp_path, story))


@pytest.mark.parametrize(("choice", "state"), [("approve", State.APPROVED), ("deny", State.DENIED)])
def test_the_form_decides_with_a_key(choice: str, state: State, tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked, path = await link(at)
        form = hidden(await at.ask("GET", path))

        done = await post(at, path, form=form, decision=choice, key=key(BOB), comment="fine")
        after = await at.ask("GET", path)

        assert done.status == 200
        assert await at.hall.state(asked.id) is state
        assert at.hall.ledger.durable[-1].user.email == BOB.email
        assert 'name="decision"' not in after.text
        assert key(BOB) not in done.text + after.text

    run(play(tmp_path, story))


def test_a_key_in_a_header_serves_as_well(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked, path = await link(at)
        form = hidden(await at.ask("GET", path))
        body = urlencode({"form": form, "decision": "deny"}).encode()

        done = await at.ask("POST", path, DANA, body, FORM)

        assert done.status == 200
        assert await at.hall.state(asked.id) is State.DENIED

    run(play(tmp_path, story))


def test_self_approval_and_missing_rights_are_refused_here_too(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked, path = await link(at)
        form = hidden(await at.ask("GET", path))

        for who, said in ((ALICE, "his own call"), (MALLORY, "admin permission")):
            refused = await post(at, path, form=form, decision="approve", key=key(who))
            assert refused.status == 403
            assert said in unescape(refused.text)
            assert hidden(refused)
        assert await at.hall.state(asked.id) is State.PENDING

    run(play(tmp_path, story))


WRONG: list[tuple[dict[str, str], int]] = [
    ({"key": ""}, 401),
    ({"key": "wrong"}, 401),
    ({"form": ""}, 400),
    ({"form": "forged"}, 400),
    ({"decision": ""}, 400),
    ({"decision": "maybe"}, 400),
    ({"comment": "x" * 1001}, 422),
    ({"comment": "x" * 20_000}, 400),
]


@pytest.mark.parametrize(("changes", "status"), WRONG)
def test_a_wrong_form_decides_nothing(changes: dict[str, str], status: int, tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked, path = await link(at)
        good = {
            "form": hidden(await at.ask("GET", path)),
            "decision": "approve",
            "key": key(BOB),
        }

        answer = await post(at, path, **{**good, **changes})

        assert answer.status == status
        assert await at.hall.state(asked.id) is State.PENDING

    run(play(tmp_path, story))


def test_a_form_of_another_link_decides_nothing(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked, path = await link(at)
        _, other = await link(at, digest=b"another")
        form = hidden(await at.ask("GET", other))

        answer = await post(at, path, form=form, decision="approve", key=key(BOB))

        assert answer.status == 400
        assert await at.hall.state(asked.id) is State.PENDING

    run(play(tmp_path, story))


def test_a_form_that_another_page_posts_is_refused(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        _, path = await link(at)
        form = hidden(await at.ask("GET", path))
        body = urlencode({"form": form, "decision": "approve", "key": key(BOB)}).encode()

        foreign = await at.ask("POST", path, None, body, {**FORM, "origin": "https://evil.example"})
        unnamed = await at.ask("POST", path, None, body, {**FORM, "origin": "null"})
        as_json = await at.ask("POST", path, None, body, {"content-type": "application/json"})

        assert (foreign.status, unnamed.status, as_json.status) == (403, 403, 400)
        own = await at.ask("POST", path, None, body, {**FORM, "origin": "https://gw.example.org"})
        assert own.status == 200

    run(play(tmp_path, story))


def test_a_forged_or_foreign_link_leads_nowhere(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked, path = await link(at)
        other, _ = await link(at, digest=b"another")
        token = path.partition("?t=")[2]

        for wrong in (
            f"/approvals/{asked.id}",
            f"/approvals/{asked.id}?t=",
            f"/approvals/{asked.id}?t={token[:-4]}AAAA",
            f"/approvals/{other.id}?t={token}",
            f"/approvals/unknown?t={token}",
        ):
            for method in ("GET", "POST"):
                answer = await at.ask(method, wrong)
                assert answer.status == 404
                assert ALICE.email not in answer.text

    run(play(tmp_path, story))


def test_an_expired_link_leads_nowhere(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        _, path = await link(at)
        at.hall.clock.turn(900)

        assert (await at.ask("GET", path)).status == 404

    run(play(tmp_path, story))


def test_a_decided_request_offers_no_form(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked, path = await link(at)
        form = hidden(await at.ask("GET", path))
        await at.hall.requests.cancel(asked.id, at.hall.clock())

        page = await at.ask("GET", path)
        late = await post(at, path, form=form, decision="approve", key=key(BOB))

        assert 'name="decision"' not in page.text
        assert "cancelled" in page.text
        assert late.status == 409

    run(play(tmp_path, story))


def test_two_who_decide_at_once_make_one_decision(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        _, path = await link(at)
        form = hidden(await at.ask("GET", path))

        answers = await asyncio.gather(
            post(at, path, form=form, decision="approve", key=key(BOB)),
            post(at, path, form=form, decision="deny", key=key(DANA)),
        )

        assert sorted(each.status for each in answers) == [200, 409]

    run(play(tmp_path, story))


def test_without_a_database_or_an_audit_log_nothing_is_decided(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked, path = await link(at)
        form = hidden(await at.ask("GET", path))
        at.hall.ledger.refuses = True

        unrecorded = await post(at, path, form=form, decision="approve", key=key(BOB))
        state = await at.hall.state(asked.id)
        (tmp_path / "state.db").unlink()
        gone = await at.ask("GET", path)

        assert (unrecorded.status, state, gone.status) == (503, State.PENDING, 503)

    run(play(tmp_path, story))


def test_other_methods_and_names_are_refused(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        _, path = await link(at)

        assert (await at.ask("DELETE", path)).status == 405
        assert (await at.ask("GET", path, headers={"host": "evil.example"})).status == 421

    run(play(tmp_path, story))


def test_whoever_has_signed_in_decides_without_a_key(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            asked = await at.hall.asked()
            path = (at.hall.links.url(asked) or "").removeprefix("https://gw.example.org")
            bob, alice = await at.signed_in(BOB), await at.signed_in(ALICE)
            page = await bob.get(path)
            assert 'name="key"' not in page.text
            assert f"You decide as {BOB.email}." in page.text
            form = {"form": field(page, "form"), "decision": "approve"}

            foreign = await bob.post(path, {**form, "token": alice.token})
            own = await alice.post(path, {**form, "token": field(await alice.get(path), "token")})
            assert (foreign.status, own.status) == (401, 403)
            assert await at.hall.state(asked.id) is State.PENDING
            done = await bob.post(path, {**form, "token": field(await bob.get(path), "token")})

            assert done.status == 200
            assert await at.hall.state(asked.id) is State.APPROVED

    run(story())


def test_whoever_has_not_signed_in_is_led_to_it_and_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            asked = await at.hall.asked()
            path = (at.hall.links.url(asked) or "").removeprefix("https://gw.example.org")

            page = await at.browser().get(path)
            assert f'href="{login_url(path)}"' in page.text
            assert 'name="key"' in page.text
            assert "/login" not in (await (await at.signed_in(BOB)).get(path)).text

            at.local[0] = LocalAccounts(enabled=False)
            at.hall.rules = msgspec.structs.replace(at.hall.rules, providers=())
            assert "/login" not in (await at.browser().get(path)).text

    run(story())
