import msgspec
import pytest

from tests.torhaus.cast import ALICE, BOB, CAROL, DANA, DAY, NOW, World, github, person
from torhaus.gate import calls, verdicts
from torhaus.gate.verdicts import Verdicts
from torhaus.model.call import Call
from torhaus.model.people import Phase, Principal
from torhaus.model.servers import Server
from torhaus.model.verdict import Allow, Deny
from torhaus.policy.decide import decide


def call(tool: str = "list_issues", arguments: object = None, **more: object) -> Call:
    world = World(more.get("at"))  # type: ignore[arg-type]
    asking = world.tool(tool, arguments, by=more.get("by", ALICE))
    return calls.build(asking, "req_1", more.get("hints", calls.NO_HINTS))  # type: ignore[arg-type]


SERVER = github()


def same(one: Verdicts, asked: Call, now: float = NOW) -> bool:
    """Whether the memory says what a decision from scratch says, twice."""
    return one.decide(asked, now) == one.decide(asked, now) == decide(asked, now)


@pytest.mark.parametrize("tool", ["list_issues", "create_issue", "get_widget", "frobnicate"])
@pytest.mark.parametrize("who", [ALICE, BOB, CAROL, DANA])
def test_the_memory_says_what_a_decision_says(tool: str, who: Principal):
    assert same(Verdicts(), call(tool, by=who, at=SERVER))


def test_a_verdict_that_depends_on_arguments_is_never_remembered():
    writer = person("w", "writer", "github:issues:write")
    memory = Verdicts()

    allowed = memory.decide(call("label_write", {"method": "create"}, by=writer, at=SERVER), NOW)
    refused = memory.decide(call("label_write", {"method": "delete"}, by=writer, at=SERVER), NOW)

    assert isinstance(allowed, Allow)
    assert isinstance(refused, Deny)


def test_access_that_ends_is_noticed_to_the_second():
    memory = Verdicts()

    assert isinstance(memory.decide(call(by=CAROL, at=SERVER), NOW + DAY - 1), Allow)
    assert isinstance(memory.decide(call(by=CAROL, at=SERVER), NOW + DAY), Deny)


def test_new_rules_are_decided_anew():
    memory = Verdicts()
    memory.decide(call(at=SERVER), NOW)
    stripped = msgspec.structs.replace(ALICE, phases=(Phase(roles=("developer",)),))
    reclassed = msgspec.structs.replace(
        SERVER,
        classes={
            **SERVER.classes,
            "listissues": msgspec.structs.replace(
                SERVER.classes["listissues"], actions=frozenset(("delete",))
            ),
        },
    )

    assert isinstance(memory.decide(call(by=stripped, at=SERVER), NOW), Deny)
    assert isinstance(memory.decide(call(at=reclassed), NOW), Deny)


def test_new_annotations_are_decided_anew():
    memory = Verdicts()
    bare: Server = github(classes={})

    assert isinstance(memory.decide(call("get_widget", at=bare), NOW), Allow)
    hints = {"readOnlyHint": False}
    assert isinstance(memory.decide(call("get_widget", at=bare, hints=hints), NOW), Deny)


def test_the_memory_is_bounded():
    memory = Verdicts()
    for number in range(verdicts.MOST + 10):
        memory.decide(call(f"tool_{number}", by=DANA, at=SERVER), NOW)
    memory.decide(call("x" * 100_000, by=DANA, at=SERVER), NOW)

    assert len(memory._known) <= verdicts.MOST
    assert max(len(operation) for _, _, operation in memory._known) <= 256
