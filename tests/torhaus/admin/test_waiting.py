import asyncio

from tests.torhaus.cast import run
from torhaus.admin.waiting import Waiting, ring


def test_all_who_wait_for_one_thing_are_woken() -> None:
    async def story() -> None:
        waiting = Waiting()
        one, other, third = waiting.begin("a"), waiting.begin("a"), waiting.begin("b")

        waiting.wake("a")
        waiting.wake("a")
        waiting.wake("nobody waits for this")

        assert (one.done(), other.done(), third.done()) == (True, True, False)
        waiting.end("a", one)
        assert waiting.ids() == ["a", "b"]
        waiting.end("a", other)
        waiting.end("a", other)
        assert waiting.ids() == ["b"]

    run(story())


def test_a_waker_can_be_rung_after_it_was_given_up() -> None:
    async def story() -> None:
        waker = Waiting().begin("a")
        waker.cancel()

        ring(waker)

        assert waker.cancelled()
        await asyncio.sleep(0)

    run(story())
