from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, CAROL, DANA, JANE, Hall, play, rules
from tests.torhaus.cast import NOW, github, run
from torhaus.admin.acts import Refusal
from torhaus.admin.tools import AcceptTool, RejectTool
from torhaus.model.people import Principal
from torhaus.model.pins import Drift, Pin, Standing
from torhaus.policy.pins import begun, definition, looked

OLD, NEW, NEWER = (definition({"name": "get", "description": t}) for t in ("old", "new", "newer"))
FIRST = begun("github", "get", OLD, 1.0)
CHANGED = looked(FIRST, "github", "get", NEW, Drift.WARN, 2.0)
ACCEPT = AcceptTool("github", "get", NEW.digest)
REJECT = RejectTool("github", "get", NEW.digest)


def play_with(path: Path, story: Callable[[Hall], Awaitable[None]], *pins: Pin) -> None:
    async def ready(hall: Hall) -> None:
        hall.rules = rules(servers={"github": github()})
        async with hall.office.write() as desk:
            await desk.tools.keep(pins or (CHANGED,), NOW)
        await story(hall)

    run(play(path, ready))


async def standing(hall: Hall) -> Standing:
    async with hall.office.read() as desk:
        found = await desk.tools.get("github", "get")
    assert found is not None
    return found.standing


def test_an_acceptance_is_kept_recorded_and_handed_back(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        done = await hall.done(DANA, ACCEPT)

        assert (done.accepted, done.accepted_by, done.accepted_at) == (NEW, DANA.email, NOW)
        assert await standing(hall) is Standing.ACCEPTED
        assert hall.effects[-1].result == done
        assert hall.ends()[-1] == ("catalogue.tool.accepted", DANA.email, "success")
        assert hall.parameters() == {
            "tool": "get",
            "digest": NEW.digest,
            "before": {"standing": "changed", "accepted": OLD.digest},
            "after": {"standing": "accepted", "accepted": NEW.digest},
        }
        assert hall.ledger.durable[-1].mcp_server == "github"

    play_with(tmp_path, story)


def test_a_rejection_is_kept_and_recorded(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        done = await hall.done(BOB, REJECT)

        assert done.standing is Standing.REJECTED
        assert await standing(hall) is Standing.REJECTED
        assert hall.ends()[-1] == ("catalogue.tool.rejected", BOB.email, "success")

    play_with(tmp_path, story)


def test_a_new_tool_is_accepted_for_the_first_time(tmp_path: Path) -> None:
    new = looked(None, "github", "get", NEW, Drift.WARN, 2.0)

    async def story(hall: Hall) -> None:
        assert (await hall.done(DANA, ACCEPT)).standing is Standing.ACCEPTED
        assert hall.parameters()["before"] == {"standing": "new", "accepted": None}

    play_with(tmp_path, story, new)


@pytest.mark.parametrize("actor", [ALICE, JANE])
@pytest.mark.parametrize("act", [ACCEPT, REJECT])
def test_only_administrators_of_the_server_decide(
    actor: Principal, act: AcceptTool | RejectTool, tmp_path: Path
) -> None:
    async def story(hall: Hall) -> None:
        found = await hall.admin.perform(actor, act)

        assert isinstance(found, Refusal)
        assert found.code == "not_allowed"
        assert await standing(hall) is Standing.CHANGED
        assert hall.ends()[-1][2] == "denied"
        assert hall.effects == []

    play_with(tmp_path, story)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"digest": OLD.digest}, "conflict"),
        ({"digest": NEWER.digest}, "conflict"),
        ({"digest": ""}, "conflict"),
        ({"name": "GET"}, "not_found"),
        ({"name": "x" * 5000}, "not_found"),
        ({"server": "jira"}, "not_found"),
    ],
)
@pytest.mark.parametrize("act", [ACCEPT, REJECT])
def test_a_decision_is_about_what_is_offered(
    act: AcceptTool | RejectTool, changes: dict[str, str], code: str, tmp_path: Path
) -> None:
    async def story(hall: Hall) -> None:
        found = await hall.admin.perform(DANA, msgspec.structs.replace(act, **changes))

        assert isinstance(found, Refusal)
        assert found.code == code
        assert len(found.reason) < 400
        assert await standing(hall) is Standing.CHANGED

    play_with(tmp_path, story)


def test_what_is_as_accepted_cannot_be_decided(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        for act in (ACCEPT, REJECT, AcceptTool("github", "get", OLD.digest)):
            found = await hall.admin.perform(CAROL, act)
            assert isinstance(found, Refusal)
            assert found.code == "conflict"

    play_with(tmp_path, story, FIRST)


def test_a_second_decision_finds_nothing_to_decide(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hall.done(DANA, ACCEPT)

        again = await hall.admin.perform(BOB, ACCEPT)

        assert isinstance(again, Refusal)
        assert again.code == "conflict"

    play_with(tmp_path, story)
