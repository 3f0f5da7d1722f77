"""What a recognised call goes through. That it ends like one that was read: edge/test_bodies.py."""

import asyncio
from collections.abc import Sequence

import msgspec

from tests.torhaus.cast import ALICE, World, run
from tests.torhaus.gate.fetched import LIST, MINUTE, allowing, mark, world
from torhaus.gate.calls import Asking
from torhaus.gate.repeats import Repeat
from torhaus.gate.sight import Scope, Sight
from torhaus.mcp.frames import cut
from torhaus.mcp.message import request_text
from torhaus.model.limits import LimitRule, Per
from torhaus.model.outcome import Answered, Limited, Outcome
from torhaus.model.ports import Charge, Shortage
from torhaus.model.record import Record
from torhaus.model.servers import Era, Window
from torhaus.store.counters import MemoryCounters

EACH = LimitRule(name="each", per=Per.USER, budget=Window(5, 60.0), hits=True)


class SlowCounters(MemoryCounters):
    """They answer when they are let."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()

    async def spend(
        self, charges: Sequence[Charge], now: float, lease: str = ""
    ) -> Shortage | None:
        await self.free.wait()
        return await super().spend(charges, now, lease)


def sighted(made: World, scope: Scope) -> Asking:
    """A request that came in bytes which can be recognised."""
    asking = made.tool("list_issues", LIST)
    request = asking.request
    parts = cut(request_text(request.id, request.method, request.payload))
    assert parts is not None
    return msgspec.structs.replace(asking, sight=Sight(scope, parts[0]))


async def learnt(made: World) -> Repeat:
    """A call that was asked as often as it takes to be known."""
    scope = Scope(ALICE, made.server, None, "192.0.2.7")
    asking = sighted(made, scope)
    for _ in range(3):
        await made.admit(asking)
    assert asking.sight is not None
    known = made.gate.recall.repeats.find(scope, asking.sight.frame)
    assert known is not None
    return known


async def ended(made: World, known: Repeat) -> Outcome | None:
    found = made.gate.recall.answer(known, "", made.gate.clock())
    return found if found is None or isinstance(found, Answered) else await found


def test_a_known_call_is_answered_and_recorded_at_once() -> None:
    async def story() -> None:
        made = world()
        known = await learnt(made)
        made.clock.turn(20.0)

        outcome = await ended(made, known)

        assert outcome is not None
        assert mark(outcome) == {"hit": True, "age": 20, "expires": 40}
        one, two = made.ledger.noted[-2:]
        assert (one.timestamp < two.timestamp, one.request_id != two.request_id) == (True, True)
        assert two.result.cached

    run(story())


def test_every_member_of_a_record_is_that_of_the_long_way() -> None:
    """A member that is new in records must be thought of in `audit.shape.repeated` as well."""

    async def story() -> None:
        made = world()
        known = await learnt(made)
        await ended(made, known)

        one, two = made.ledger.noted[-2:]

        new = {"request_id"}
        for name in Record.__struct_fields__:
            assert (getattr(one, name) == getattr(two, name)) is (name not in new), name

    run(story())


def test_nothing_of_a_connection_or_a_session_is_remembered() -> None:
    async def story() -> None:
        known = await learnt(world())

        assert (known.asking.session, known.asking.visit, known.asking.sight) == (None, None, None)

    run(story())


def test_an_entry_of_the_other_era_is_not_at_hand() -> None:
    async def story() -> None:
        made = world()
        known = await learnt(made)
        cache, now = made.gate.cache, made.clock()
        before = cache.stats()

        assert cache.at_hand(known.key, Era.LEGACY, now) is None
        assert cache.at_hand(known.key, Era.MODERN, now + 60.0) is None
        assert cache.at_hand(b"another", Era.MODERN, now) is None
        assert cache.stats() == before
        assert cache.at_hand(known.key, Era.MODERN, now) is not None
        assert cache.stats().hits == before.hits + 1

    run(story())


def test_a_budget_that_counts_hits_is_asked_each_time() -> None:
    async def story() -> None:
        made = allowing(world(), EACH)
        known = await learnt(made)

        ends = [await ended(made, known) for _ in range(4)]

        assert [isinstance(each, Limited) for each in ends] == [False, False, True, True]
        assert made.ledger.statuses()[-4:] == ["success", "success", "limited", "limited"]

    run(story())


def test_whoever_hangs_up_while_a_budget_is_asked_leaves_one_record() -> None:
    async def story() -> None:
        made = allowing(world(), EACH)
        known = await learnt(made)
        made.gate.fetching.counters = SlowCounters()
        before = len(made.ledger.noted)
        task = asyncio.ensure_future(ended(made, known))
        await asyncio.sleep(0)

        task.cancel()
        await asyncio.wait([task])

        assert task.cancelled()
        assert made.ledger.statuses()[before:] == ["cancelled"]

    run(story())


def test_what_keeps_a_call_from_being_of_use_is_not_learnt_again_and_again() -> None:
    async def story() -> None:
        made = world()
        scope = Scope(ALICE, made.server, None, "192.0.2.7")
        asking = sighted(made, scope)
        known = await learnt(made)
        sight = Sight(scope, asking.sight.frame if asking.sight else b"")
        made.gate.recall.repeats.learn(sight, known)

        await made.admit(asking)

        assert made.gate.recall.repeats.find(scope, sight.frame) is known

    run(story())


def test_a_call_that_no_rule_keeps_is_never_known() -> None:
    async def story() -> None:
        made = world(msgspec.structs.replace(MINUTE, ttl=0.0))
        scope = Scope(ALICE, made.server, None, "192.0.2.7")
        asking = sighted(made, scope)

        for _ in range(4):
            await made.admit(asking)

        assert len(made.gate.recall.repeats) == 0

    run(story())
