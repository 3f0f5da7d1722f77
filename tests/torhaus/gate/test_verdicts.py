from datetime import UTC
from ipaddress import ip_network
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import ALICE, BOB, CAROL, DANA, DAY, NOW, World, github, limited, person
from torhaus.gate import calls, verdicts
from torhaus.gate.verdicts import Verdicts
from torhaus.model.access import Bound, Effect, Hours, Origin, Policy
from torhaus.model.call import Call
from torhaus.model.people import Phase, Principal
from torhaus.model.servers import Server
from torhaus.model.verdict import Allow, Deny
from torhaus.policy.conditions import compile_condition
from torhaus.policy.decide import decide
from torhaus.policy.globs import compile_glob


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


def phases(who: Principal, *ends: float) -> Principal:
    """The same access as before until the first of these moments; nothing between the others."""
    (phase,) = who.phases
    replace = msgspec.structs.replace
    first, second, last = ends
    return replace(
        who,
        phases=(
            replace(phase, ends=first),
            Phase(begins=first, ends=second),
            replace(phase, begins=second, ends=last),
        ),
    )


def test_phases_are_noticed_to_the_second():
    memory = Verdicts()
    who = phases(ALICE, NOW + 10, NOW + 20, NOW + 30)

    def allowed(at: float) -> bool:
        return isinstance(memory.decide(call(by=who, at=SERVER), NOW + at), Allow)

    assert [allowed(at) for at in (0, 9.9, 10, 19.9, 20, 29.9, 30)] == [
        True, True, False, False, True, True, False,
    ]  # fmt: skip
    assert [allowed(at) for at in (25, 15, 5)] == [True, False, True]  # a clock that is set back


OFFICE = Hours(zone=UTC, days=frozenset(range(7)), windows=((12 * 3600, 14 * 3600),))
MIDDAY = NOW - NOW % 86400 + 12 * 3600


def test_office_hours_are_noticed_to_the_second():
    rule = Policy(name="hours", effect=Effect.DENY_OUTSIDE_HOURS, hours=OFFICE)
    who = limited(ALICE, policies=(rule,))
    memory = Verdicts()

    def allowed(at: float) -> bool:
        return isinstance(memory.decide(call(by=who, at=SERVER), MIDDAY + at), Allow)

    assert [allowed(at) for at in (-1, 0, 7199.9, 7200, 86400, 0)] == [
        False, True, True, False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("access", "asked", "then"),
    [
        (
            {"origins": (Origin(rule="office", clients=frozenset({"cursor"})),)},
            {"client": "cursor"},
            {"client": "other"},
        ),
        (
            {
                "policies": (
                    Policy(name="p", effect=Effect.DENY, networks=(ip_network("10.0.0.0/8"),)),
                )
            },
            {"ip": "192.0.2.1"},
            {"ip": "10.0.0.1"},
        ),
        (
            {"bounds": (Bound(kind="repos", rule="only", allow=(compile_glob("a/*"),)),)},
            {"arguments": {"repo": "a/b"}},
            {"arguments": {"repo": "b/b"}},
        ),
        (
            {
                "policies": (
                    Policy(
                        name="p", effect=Effect.DENY, when=compile_condition('args.state == "all"')
                    ),
                )
            },
            {"arguments": {"state": "open"}},
            {"arguments": {"state": "all"}},
        ),
        ({"arguments": True}, {}, {}),
        ({"moment": True}, {}, {}),
    ],
)
def test_what_depends_on_the_call_alone_is_never_remembered(
    access: dict[str, Any], asked: dict[str, Any], then: dict[str, Any]
):
    memory = Verdicts()
    it = call(by=limited(ALICE, **access), at=SERVER)

    first = memory.decide(msgspec.structs.replace(it, **asked), NOW)
    second = memory.decide(msgspec.structs.replace(it, **then), NOW)

    assert isinstance(first, Allow)
    assert isinstance(second, Deny) is (asked != then)
    assert len(memory._known) == 0


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
