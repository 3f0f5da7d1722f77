import asyncio
import itertools

from tests.torhaus.cast import World, randoms, run
from torhaus.gate.waits import MOST, MOST_EACH, OURS, Wait, Waits


def some(waits: Waits, count: int, principal: str = "u") -> list[Wait]:
    found = [waits.begin(f"apr_{n}", principal, None, b"1") for n in range(count)]
    return [each for each in found if each is not None]


def test_each_caller_has_a_few_places() -> None:
    waits = Waits(randoms())

    assert len(some(waits, MOST_EACH + 5)) == MOST_EACH
    assert len(some(waits, 1, "other")) == 1


def test_a_place_is_free_again_after_the_wait() -> None:
    waits = Waits(randoms())
    held = some(waits, MOST_EACH)

    waits.end(held[0])

    assert len(some(waits, 2)) == 1


def test_all_together_have_a_limit_as_well() -> None:
    waits = Waits(randoms())
    callers = (f"u{n}" for n in itertools.count())
    while len(waits) < MOST:
        some(waits, MOST_EACH, next(callers))

    assert some(waits, 1, "late") == []


def test_nobody_waits_after_the_end() -> None:
    waits = Waits(randoms())
    waits.close()

    assert some(waits, 1) == []


def test_questions_have_ids_that_no_server_has_seen() -> None:
    waits = Waits(randoms())
    questions = {each.question for each in some(waits, 10)}

    assert len(questions) == 10
    assert all(each.startswith(OURS) for each in questions)


def test_a_call_is_found_by_its_session_and_id_only() -> None:
    world = World()
    waits = Waits(randoms())
    one, other = world.session(), world.session()
    wait = waits.begin("apr_1", "u", one, b'"a"')

    assert waits.at(one, b'"a"') is wait
    assert waits.at(one, b'"b"') is None
    assert waits.at(other, b'"a"') is None


def test_a_shared_approval_is_known_as_such() -> None:
    waits = Waits(randoms())
    one = waits.begin("apr_1", "u", None, b"1")
    waits.begin("apr_2", "u", None, b"2")
    assert one is not None
    assert not waits.shared(one)

    waits.begin("apr_1", "v", None, b"1")

    assert waits.shared(one)
    assert waits.waiting("apr_2")
    assert not waits.waiting("apr_3")


def test_a_bell_ends_the_pause_and_so_does_time() -> None:
    async def story() -> None:
        (wait,) = some(Waits(randoms()), 1)
        loop = asyncio.get_running_loop()
        wait.ring()  # nobody hears it
        began = loop.time()

        await wait.rung(0.05)
        assert loop.time() - began > 0.04

        loop.call_soon(wait.ring)
        loop.call_soon(wait.ring)
        await wait.rung(60)
        assert loop.time() - began < 5

    run(story())
