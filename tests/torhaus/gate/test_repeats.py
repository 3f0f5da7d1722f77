import msgspec
import pytest

from tests.torhaus.cast import ALICE, NOW, World
from torhaus.audit.shape import record
from torhaus.gate import calls
from torhaus.gate.catalogue import NO_TOOL
from torhaus.gate.repeats import MOST_BYTES, Repeat, Repeats
from torhaus.gate.sight import Scope, Sight
from torhaus.model.outcome import Abandoned
from torhaus.model.people import Phase
from torhaus.model.verdict import Allow

WORLD = World()
ALLOW = Allow("r", "because")
PHASE = ALICE.phase(NOW)


def scope(ip: str = "192.0.2.7") -> Scope:
    return Scope(ALICE, WORLD.server, b"key", ip)


def repeat() -> Repeat:
    asking = WORLD.tool("list_issues", {})
    call = calls.build(asking, "req_1", {})
    return Repeat(
        asking=asking,
        call=call,
        listed=NO_TOOL,
        verdict=ALLOW,
        phase=PHASE,
        tag="github.list_issues",
        key=b"k",
        trace="",
        record=record(call, Abandoned(ALLOW), NOW, 0.0),
    )


KNOWN = repeat()


def test_a_call_is_found_by_its_scope_and_all_of_its_frame():
    memory, here = Repeats(), scope()
    memory.learn(Sight(here, b"frame"), KNOWN)

    assert memory.find(here, b"frame") is KNOWN
    assert memory.find(here, b"frame ") is None
    assert memory.find(scope(), b"frame") is None


def test_two_scopes_are_never_the_same_however_alike_they_are():
    assert scope() != scope()


def test_nothing_is_remembered_of_what_was_met_once():
    memory, here = Repeats(), scope()

    assert not memory.met(Sight(here, b"frame"))
    assert memory.find(here, b"frame") is None
    assert memory.met(Sight(here, b"frame"))
    assert not memory.met(Sight(here, b"other"))


def test_what_is_not_met_again_goes_and_what_is_stays():
    memory, here = Repeats(most=10), scope()
    memory.learn(Sight(here, b"often"), KNOWN)
    memory.learn(Sight(here, b"once"), KNOWN)

    for number in range(100):
        memory.met(Sight(here, b"%d" % number))
        assert memory.find(here, b"often") is KNOWN

    assert memory.find(here, b"once") is None
    assert len(memory) <= 20


def test_bytes_are_bounded_as_well():
    memory, here = Repeats(), scope()

    for number in range(8000):
        memory.learn(Sight(here, b"%4096d" % number), KNOWN)

    assert len(memory) * 4096 <= 2 * MOST_BYTES


def test_a_memory_for_nothing_remembers_nothing():
    memory, here = Repeats(most=0), scope()
    memory.learn(Sight(here, b"frame"), KNOWN)

    assert not memory.met(Sight(here, b"frame"))
    assert not memory.met(Sight(here, b"frame"))
    assert memory.find(here, b"frame") is None


def test_clearing_forgets_both_generations():
    memory, here = Repeats(most=2), scope()
    for name in (b"a", b"b", b"c"):
        memory.learn(Sight(here, name), KNOWN)

    memory.clear()

    assert len(memory) == 0


@pytest.mark.parametrize(
    ("listed", "verdict", "phase", "same"),
    [
        (NO_TOOL, ALLOW, PHASE, True),
        (NO_TOOL, Allow("r", "because"), PHASE, True),
        (msgspec.structs.replace(NO_TOOL), ALLOW, PHASE, False),
        (NO_TOOL, Allow("other", "because"), PHASE, False),
        (NO_TOOL, ALLOW, Phase(), False),
    ],
)
def test_how_a_call_was_judged_is_compared_in_every_part(
    listed: object, verdict: Allow, phase: Phase, same: bool
):
    assert KNOWN.judged(listed, verdict, phase) is same  # type: ignore[arg-type]
