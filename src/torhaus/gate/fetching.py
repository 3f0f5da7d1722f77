"""Where an allowed call's answer comes from: the cache, a call under way, or the server."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from torhaus.audit.items import count
from torhaus.cache.freshness import Freshness, freshness, usable_for
from torhaus.cache.hints import HINTED
from torhaus.cache.invalidation import invalidations
from torhaus.cache.mark import marked, prepared
from torhaus.cache.plan import READ, Plan, findable, keepable, plan
from torhaus.gate import calls
from torhaus.gate.calls import Asking, Deaf
from torhaus.gate.ends import from_cache, limited
from torhaus.gate.flights import Flight, Flights, Overheard
from torhaus.gate.hinted import hinted
from torhaus.gate.intents import Intents
from torhaus.gate.lapses import Lapses
from torhaus.gate.lists import UNREADABLE
from torhaus.limits.charges import CHARGED, charges, hit_charges, key_name
from torhaus.limits.spending import cost_charges
from torhaus.mcp import eras
from torhaus.mcp.message import encode
from torhaus.mcp.seal import Sealer
from torhaus.model.caching import NO_CACHING, CacheRule, Selector
from torhaus.model.call import Call
from torhaus.model.limits import NO_LIMITS, Slots
from torhaus.model.outcome import Answer, Answered, Outcome, Served
from torhaus.model.ports import (
    Ask,
    Cache,
    Charge,
    Counters,
    Detached,
    Entry,
    Joined,
    Miss,
    NotConnected,
    Shortage,
    Sink,
    UpstreamError,
    Upstreams,
)
from torhaus.model.rules import Rules
from torhaus.model.servers import Era
from torhaus.model.verdict import Allow

MODERN, HIT = Era.MODERN, Served.HIT  # looking a member up costs more than comparing with it


class SpentError(Exception):
    """A budget is used up, so that the call must not go to the server."""

    def __init__(self, shortage: Shortage) -> None:
        super().__init__(shortage.charge.limit)
        self.shortage = shortage


@dataclass(slots=True, kw_only=True)
class Fetching:
    """Owned by one event loop. `clock`: Unix seconds."""

    upstreams: Upstreams
    cache: Cache
    counters: Counters
    flights: Flights
    sealer: Sealer
    intents: Intents
    lapses: Lapses
    rules: Callable[[], Rules]
    clock: Callable[[], float]
    ids: Callable[[], str]
    _chores: set["asyncio.Task[None]"] = field(default_factory=set)

    def carry(
        self, asking: Asking, call: Call, ask: Ask | None, verdict: Allow, relay: Sink
    ) -> Awaitable[Outcome]:
        """The answer, as the server gave it. Raises UpstreamError, CallerError.

        A call that may have made kept answers untrue has them forgotten before it returns.
        """
        if call.method in HINTED:
            return self._hinted(asking, call, ask, verdict, relay)
        if call.server.caching is NO_CACHING:
            return self._direct(asking, call, ask, verdict, relay)
        return self._planned(asking, call, ask, verdict, relay)

    async def _hinted(
        self, asking: Asking, call: Call, ask: Ask | None, verdict: Allow, relay: Sink
    ) -> Outcome:
        """What servers themselves say how long to keep."""
        direct = partial(self._direct, asking, call, ask, verdict, relay)
        outcome = await hinted(self.cache, call, verdict, self.clock(), asking.era, direct)
        kept = isinstance(outcome, Answered) and outcome.cached
        shortage = await self.spend_hit(asking, call) if kept else None
        return outcome if shortage is None else limited(verdict, shortage)

    async def _planned(
        self, asking: Asking, call: Call, ask: Ask | None, verdict: Allow, relay: Sink
    ) -> Outcome:
        """What the configuration says how long to keep."""
        now = self.clock()
        keep = plan(call, verdict, now)
        if keep.key is not None and keep.rule is not None:
            key, tag, cache = keep.key, keep.tag, self.cache
            found = calls.missed(asking, key, tag, cache) or await cache.find(key, tag, now)
            if isinstance(found, Entry) and found.era is asking.era and self.free(call):
                return from_cache(verdict, found, found.result, now, HIT)
            if ask is None:
                ask = calls.ask(asking, self.sealer, 0.0)
            lookup = _Lookup(asking, call, ask, verdict, keep, key, keep.rule)
            return await self._kept(lookup, found, relay, now)
        untrue = invalidations(call)
        if not untrue:
            return await self._direct(asking, call, ask, verdict, relay)
        end: Outcome | None = None
        try:
            end = await self._direct(asking, call, ask, verdict, relay)
            return end
        finally:
            # Once it went, it may have written. Whoever hangs up meanwhile stops no chore.
            if end is None or isinstance(end, Answered):
                await asyncio.shield(self.chore(self.forget(untrue)))

    async def forget(self, selectors: Sequence[Selector]) -> None:
        for selector in selectors:
            await self.cache.purge(selector)

    def forgotten(self, call: Call, noted: Awaitable[None] | None) -> Awaitable[None] | None:
        """What to await before the late answer to `call` leaves: `noted`, and what it made untrue.

        Nothing, when there is nothing to wait for.
        """
        untrue = invalidations(call)
        return noted if not untrue else self._both(self.chore(self.forget(untrue)), noted)

    async def _both(self, chore: "asyncio.Task[None]", noted: Awaitable[None] | None) -> None:
        await asyncio.shield(chore)
        if noted is not None:
            await noted

    def chore(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Something that goes on although nobody may wait for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
        return task

    # -- the server ----------------------------------------------------------------------------

    async def _direct(
        self, asking: Asking, call: Call, ask: Ask | None, verdict: Allow, relay: Sink
    ) -> Outcome:
        rules, now = self.rules(), self.clock()
        few = rules.limits is NO_LIMITS and not rules.costs.caps
        budgets = charges(call) if few else self._budgets(asking, call, rules, now)
        try:
            if budgets:
                # Slots are to be released also when this is cancelled: they may be taken, although
                # we have not heard of it.
                shortage = await self.counters.spend(budgets, now, call.id)
                if shortage is not None:
                    return limited(verdict, shortage)
            if asking.agreed is not None:
                self.intents.possible()  # or the approval would be used up for nothing
                lost = await asking.agreed.take()
                if lost is not None:
                    return lost
            if ask is None:
                ask = calls.ask(asking, self.sealer, 0.0)
            if verdict.actions != READ or self.intents.every:
                await self.intents.before(call, verdict, asking.veil)
            if asking.era is MODERN:
                ask = self.lapses.over(asking, call, verdict, ask)
            answer = await self.upstreams.link(asking.server).request(ask, relay)
        finally:
            if not few:
                self._release(budgets, call.id)
        return Answered(verdict, answer)

    def _budgets(self, asking: Asking, call: Call, rules: Rules, now: float) -> Sequence[Charge]:
        found = charges(call, rules.limits, now, _key(asking, rules))
        if not rules.costs.caps or call.method not in CHARGED:
            return found
        zone = ZoneInfo(rules.timezone)
        name, tool = call.server.name, call.operation
        return (*found, *cost_charges(name, tool, rules.costs, now, zone))

    async def spend_hit(self, asking: Asking, call: Call) -> Shortage | None:
        """What a kept answer uses up: of budgets that count hits."""
        rules, now = self.rules(), self.clock()
        budgets = hit_charges(call, rules.limits, now, _key(asking, rules))
        if not budgets:
            return None
        try:
            return await self.counters.spend(budgets, now, call.id)
        finally:
            self._release(budgets, call.id)

    def _release(self, budgets: Sequence[Charge], lease: str) -> None:
        if any(isinstance(each.budget, Slots) for each in budgets):
            self.counters.release(budgets, lease)

    def free(self, call: Call) -> bool:
        """Whether answers from the cache cost no budget."""
        return not call.server.rate_counts_hits and not self.rules().limits.counts_hits

    # -- the cache -----------------------------------------------------------------------------

    async def _kept(
        self, lookup: "_Lookup", found: Entry | Miss, relay: Sink, now: float
    ) -> Outcome:
        if isinstance(found, Entry):
            return await self._hit(lookup, found, Served.HIT)
        # From here to the start of a flight nothing is awaited: equal calls share one.
        stale, good = found.stale, Freshness.GONE
        if stale is not None:
            good = freshness(stale, lookup.rule, now)
            if good is Freshness.REVALIDATE:
                outcome = await self._hit(lookup, stale, Served.STALE)
                if isinstance(outcome, Answered) and self._refresh(lookup, found):
                    return msgspec.structs.replace(outcome, refreshed=True)
                return outcome
        try:
            return await self._shared(lookup, found, relay)
        except UpstreamError as error:
            if stale is None or isinstance(error, Detached | NotConnected):
                raise
            if good is Freshness.GONE or not self.cache.fits(found.stamp, lookup.keep.tag):
                raise  # it became untrue meanwhile
            return await self._hit(lookup, stale, Served.STALE)

    async def _shared(self, lookup: "_Lookup", miss: Miss, relay: Sink) -> Outcome:
        """The answer of an equal call that is under way, or of our own."""
        while (flight := self.flights.joined(lookup.key)) is not None:
            if flight.asked or not self.cache.fits(flight.stamp, lookup.keep.tag):
                break  # for its caller alone; or begun before what it answers became untrue
            answer = await _joined(flight, lookup.rule)
            if answer is not None:
                return await self._coalesced(lookup, flight, answer)
        try:
            answer = await self._start(lookup, lookup.ask, miss, relay).lead()
        except SpentError as spent:
            return limited(lookup.verdict, spent.shortage)
        if answer.result is not None:
            seen = marked(answer.result, 0.0, lookup.rule.ttl, hit=False)
            answer = msgspec.structs.replace(answer, result=seen)
        return Answered(lookup.verdict, answer, cacheable=True)

    def _start(self, lookup: "_Lookup", ask: Ask, miss: Miss, relay: Sink) -> Flight:
        async def fetch(sink: Overheard) -> Answer:
            return await self._fetched(lookup, ask, miss, sink)

        return self.flights.start(lookup.key, ask, relay, fetch, miss.stamp)

    async def _fetched(self, lookup: "_Lookup", ask: Ask, miss: Miss, sink: Overheard) -> Answer:
        call, rule = lookup.call, lookup.rule
        now = self.clock()
        budgets = self._budgets(lookup.asking, call, self.rules(), now)
        try:
            if budgets:
                shortage = await self.counters.spend(budgets, now, call.id)
                if shortage is not None:
                    raise SpentError(shortage)
            answer = await self._sent(lookup, ask, sink)
        finally:
            self._release(budgets, call.id)
        result = answer.result
        if result is None or sink.asked or not keepable(result, rule.max_entry):
            return answer
        try:
            result = prepared(result)
        except UNREADABLE:
            return answer
        now = self.clock()
        entry = Entry(
            result=result,
            era=ask.era,
            stored=now,
            expires=now + rule.ttl,
            items=count(result)[1],
            stale=usable_for(rule),
            arguments=findable(call),
            owner=lookup.keep.owner,
        )
        await self.cache.keep(lookup.key, entry, lookup.keep.tag, miss.stamp)
        return msgspec.structs.replace(answer, result=result)

    async def _sent(self, lookup: "_Lookup", ask: Ask, sink: Overheard) -> Answer:
        """A call that reads goes to its server."""
        link, intents = self.upstreams.link(lookup.call.server), self.intents
        ask = self.lapses.over(lookup.asking, lookup.call, lookup.verdict, ask)
        if intents.every and sink.left:
            # Its caller has his record; what others wait for is a call of its own.
            call = msgspec.structs.replace(lookup.call, id=self.ids())
            send, veil = partial(link.request, ask, sink), lookup.asking.veil
            return await intents.around(call, lookup.verdict, veil, send)
        if intents.every:
            await intents.before(lookup.call, lookup.verdict, lookup.asking.veil)
        return await link.request(ask, sink)

    def _refresh(self, lookup: "_Lookup", miss: Miss) -> bool:
        """Fetch a new answer while the old one is given; False when somebody does already.

        A failure leaves the old one.
        """
        if self.flights.joined(lookup.key) is not None:
            return False
        own = self.ids()
        ask = msgspec.structs.replace(lookup.ask, id=encode(own))
        # Its slots are its own: the caller's end must not free them.
        call = msgspec.structs.replace(lookup.call, id=own)
        lookup = msgspec.structs.replace(lookup, call=call)
        self._start(lookup, ask, miss, Deaf()).unattended()  # its intent is its own
        return True

    async def _hit(self, lookup: "_Lookup", entry: Entry, how: "Served") -> Outcome:
        """A kept answer, within budgets that count hits."""
        shortage = await self.spend_hit(lookup.asking, lookup.call)
        if shortage is not None:
            return limited(lookup.verdict, shortage)
        result = _in_era(lookup, entry.era, entry.result)
        return from_cache(lookup.verdict, entry, result, self.clock(), how)

    async def _coalesced(self, lookup: "_Lookup", flight: Flight, answer: Answer) -> Outcome:
        if answer.result is None:  # `_joined` gives results only
            raise UpstreamError("it did not answer")
        now = self.clock()
        entry = Entry(
            result=answer.result,
            era=flight.ask.era,
            stored=now,
            expires=now + lookup.rule.ttl,
            items=count(answer.result)[1],
        )
        return await self._hit(lookup, entry, Served.COALESCED)


class _Lookup(msgspec.Struct, frozen=True, gc=False):
    """One call that the cache may answer, and how its answer is kept."""

    asking: Asking
    call: Call
    ask: Ask
    verdict: Allow
    keep: Plan
    key: bytes
    rule: CacheRule


async def _joined(flight: Flight, rule: CacheRule) -> Answer | None:
    """What an equal call comes back with; None when that belongs to its own caller."""
    try:
        shared = await flight.wait()
    except (Detached, SpentError, NotConnected):
        return None  # only its own caller can resume it, or open the link; another has budget
    except UpstreamError as error:
        raise Joined(str(error)) from error
    if shared is None or shared.result is None or flight.asked:
        return None
    return shared if keepable(shared.result, rule.max_entry) else None


def _key(asking: Asking, rules: Rules) -> str:
    """Which of the caller's keys was shown, where a limit asks; never the key itself."""
    if not rules.limits.rules or asking.key is None:
        return ""
    return key_name(asking.key)


def _in_era(lookup: _Lookup, had: Era, result: bytes) -> bytes:
    """The result for this caller's era, prepared for its mark."""
    wanted = lookup.asking.era
    if wanted is had:
        return result
    method = lookup.call.method
    try:
        if wanted is Era.MODERN:
            result = eras.to_modern_result(method, result, None)
        else:
            result = eras.to_legacy_result(result)
        return prepared(result)
    except UNREADABLE as error:
        raise UpstreamError("it sent a result that cannot be read") from error
