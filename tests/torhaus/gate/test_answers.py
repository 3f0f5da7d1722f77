import json

import pytest

from tests.torhaus.cast import ALICE, BOB, MALLORY, World
from tests.torhaus.scripted import TOOLS, listing, text
from torhaus.mcp.message import error_object
from torhaus.model.outcome import Answer, Counted
from torhaus.model.people import Principal
from torhaus.model.ports import UpstreamError

SECRET = "ghp_" + "a1B2" * 9


def names(answer: Answer) -> list[str]:
    return [each["name"] for each in json.loads(answer.result or b"{}")["tools"]]


@pytest.mark.parametrize("legacy", [True, False])
def test_what_a_tool_says_is_passed_on_as_it_is(legacy: bool):
    world = World()
    asking = world.tool("list_issues", session=world.session() if legacy else None)
    answer = text("taskId of nothing")

    assert world.gate.answers.finished(asking, answer) is answer


@pytest.mark.parametrize(("by", "seen"), [(ALICE, ["list_issues"]), (MALLORY, [])])
def test_a_list_holds_what_its_caller_may_use(by: Principal, seen: list[str]):
    world = World()
    asking = world.asking("tools/list", by=by, session=world.session(by))

    assert names(world.gate.answers.finished(asking, listing(*TOOLS))) == seen
    assert names(world.gate.answers.kept(listing(*TOOLS), by, world.server)) == seen
    assert names(world.gate.answers.replayed(listing(*TOOLS), by, world.server)) == seen


def test_a_list_teaches_the_catalogue_only_when_it_is_new():
    world = World()
    world.gate.answers.kept(listing(*TOOLS), ALICE, world.server)
    assert world.gate.catalogue.tools("github") == ()

    asking = world.asking("tools/list", session=world.session())
    world.gate.answers.finished(asking, listing(*TOOLS))

    assert set(world.gate.catalogue.tools("github")) == {"list_issues", "create_issue"}


def test_what_cannot_be_read_is_shown_to_nobody():
    world = World()
    asking = world.asking("tools/list", session=world.session())
    broken = Answer(result=b'{"tools":[{"name":')

    with pytest.raises(UpstreamError, match="cannot be read"):
        world.gate.answers.finished(asking, broken)
    assert world.gate.answers.kept(broken, ALICE, world.server).error is not None


def test_an_error_repeats_no_secret():
    world = World()
    asking = world.tool("list_issues", by=BOB)
    answer = Answer(error=error_object(-32603, f"bad token {SECRET}"))

    seen = world.gate.answers.finished(asking, answer)

    assert SECRET.encode() not in (seen.error or b"")
    assert b"bad token" in (seen.error or b"")


def test_a_list_that_was_filtered_is_not_what_was_counted():
    world = World()
    asking = world.asking("tools/list", by=MALLORY, session=world.session(MALLORY))
    result = listing(*TOOLS).result or b""
    answer = Answer(result=result, counted=Counted(result, is_error=False, items=2))

    seen = world.gate.answers.finished(asking, answer)

    assert seen.counted is None or seen.counted.of is not seen.result
