"""What the gate needs from the outside world. `store`, `upstream` and `watch` provide it."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from torhaus.model.announcement import Announcement
from torhaus.model.approval import Approval, Wanted
from torhaus.model.caching import Selector
from torhaus.model.call import Call
from torhaus.model.limits import Budget
from torhaus.model.outcome import Answer, Outcome
from torhaus.model.record import Record
from torhaus.model.servers import Era, Server
from torhaus.model.session import Session


class UpstreamError(Exception):
    """The server behind the gate did not answer properly. The text is a sentence for people."""


class LedgerError(Exception):
    """The audit record could not be made durable, so the answer must not leave."""


class Notice(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A message from an upstream that is not the answer being waited for.

    `body`: the whole JSON-RPC message as JSON text. `id`: JSON text of its id (None for a
    notification); `method`: None for a response. `event_id` and `retry` (milliseconds) come from
    the event that carried it. An empty `body` is a priming event: it has only an event id. `tied`:
    the call waits for the caller alone from now on, and ends when he hangs up.
    """

    body: bytes
    method: str | None = None
    id: bytes | None = None
    event_id: str | None = None
    retry: int | None = None
    tied: bool = False


class Sink(Protocol):
    """Where an upstream's messages go while a request is under way, or on a listening stream.

    `throttle`, when the link sets it, is called with True when the reader downstream cannot keep
    up and with False when it can again.
    """

    throttle: Callable[[bool], None] | None

    def opened(self) -> None:
        """A listening stream is established, though nothing has come yet."""
        ...

    def notice(self, notice: Notice) -> None: ...


class Ask(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One message for an upstream, already decided and strict.

    `id`: JSON text of the front's request id (None: notification or response).
    `params`: JSON text (empty: absent). `name`: the value for `Mcp-Name`, where the method has one.
    `principal`: who asks (an id, for session pooling, never sent). `headers`: `Mcp-Param-*` pairs.
    `session` is the front session of a legacy caller, None for a modern one.
    `timeout`: seconds without any message from the upstream; None waits for ever.
    `changes`: whether the call may change something, so that lists may be others afterwards.
    `lapsed`: called with a sentence when its server was told that nobody comes back to the call.
    """

    method: str
    id: bytes
    params: bytes
    era: Era
    principal: str
    session: Session | None = None
    name: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    timeout: float | None = 300.0
    changes: bool = False
    lapsed: Callable[[str], None] | None = None


class Link(Protocol):
    """The way to one upstream, whatever its transport."""

    def request(self, ask: Ask, sink: Sink) -> Coroutine[Any, Any, Answer]:
        """Send a request and wait for its answer; `sink` gets everything that comes before it.

        For `initialize` it opens the upstream session and returns the upstream's own result.
        Cancelling it cancels the call upstream. Raises UpstreamError.
        """
        ...

    async def post(self, session: Session | None, principal: str, body: bytes) -> None:
        """Pass on a notification, or the answer to a server's request, as JSON text.

        Ids of a server's requests are its own in it; what calls a request off names the front's.
        Raises UpstreamError.
        """
        ...

    async def listen(self, session: Session, last_event_id: str | None, sink: Sink) -> None:
        """Deliver messages that belong to no request until cancelled or the upstream ends it.

        Raises UpstreamError; `NoStream` when the upstream offers no such stream.
        """
        ...

    async def close(self, session: Session) -> None:
        """End the upstream half of a front session. Never raises."""
        ...

    def state(self) -> str:
        """One word for /ready: `idle`, `ready`, `starting` or `down: <sentence>`."""
        ...

    async def shutdown(self) -> None:
        """Close connections and stop processes, in order, within 5 seconds."""
        ...


class NotConnected(UpstreamError):  # noqa: N818 -- nothing failed: somebody has to do something
    """There is no account to act with. `shared`: an administrator connects it, not the caller.

    `scope`: what the server asked for besides. `provider`: an identity provider where the caller
    signs in, which is all there is to do. `barred`: nothing that he could do would help.
    """

    def __init__(
        self,
        text: str,
        *,
        shared: bool = False,
        scope: str = "",
        provider: str = "",
        barred: bool = False,
    ) -> None:
        super().__init__(text)
        self.shared = shared
        self.scope = scope
        self.provider = provider
        self.barred = barred


class NoStream(UpstreamError):  # noqa: N818 -- what HTTP says with 405, not a fault
    """The upstream has no stream for unsolicited messages (HTTP 405)."""


class Detached(UpstreamError):  # noqa: N818 -- not a failure: the answer may still come
    """The upstream ended the stream before its answer; the client may fetch it by resuming."""


class Joined(UpstreamError):  # noqa: N818 -- says whose failure it is
    """An equal call under way failed, for which this one waited: it never went itself."""


class Upstreams(Protocol):
    def link(self, server: Server) -> Link:
        """The link to a server as configured now; the same object while that stays the same."""
        ...


class Entry(msgspec.Struct, frozen=True):
    """A kept result: JSON text, the era it is written for, Unix seconds, the items it holds.

    It is fresh until `expires`, and kept `stale` seconds longer. `arguments`: those of the call as
    JSON text, empty when unknown. `owner`: the principal it belongs to, None when it is shared.
    """

    result: bytes
    era: Era
    stored: float
    expires: float
    items: int | None = None
    stale: float = 0.0
    arguments: bytes = b""
    owner: str | None = None


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """Where a cache stood before something was fetched. Only the cache itself looks inside."""

    turn: int
    shared: bytes | None = None


class Miss(msgspec.Struct, frozen=True, gc=False):
    """No fresh entry. `stale`: one that has expired and is still kept."""

    stamp: Stamp
    stale: Entry | None = None


class CacheStats(msgspec.Struct, frozen=True):
    """`bytes` is what is counted against the limit; `evicted`: dropped early for room.

    `hits`, `misses`: of `find`, since the start. `dropped`: by invalidations and purges.
    `refused`: answers not kept because something was forgotten while they were fetched.
    """

    entries: int
    bytes: int
    evicted: int
    hits: int = 0
    misses: int = 0
    dropped: int = 0
    refused: int = 0


class Listed(msgspec.Struct, frozen=True):
    """One kept answer, for people. Times in Unix seconds, `bytes` of the result."""

    tag: str
    arguments: bytes
    owner: str | None
    bytes: int
    stored: float
    expires: float


class Cache(Protocol):
    """Answers by key. A cache that cannot be asked knows nothing: no method ever raises for that.

    `find` does not wait when the answer is in this process.
    """

    async def find(self, key: bytes, tag: str, now: float) -> Entry | Miss:
        """The entry if it is fresh, else a Miss whose stamp goes to `keep` with what is fetched."""
        ...

    def at_hand(self, key: bytes, era: Era, now: float) -> Entry | None:
        """The fresh entry that `find` would return at once, if it is one of this era.

        Otherwise nothing has happened: ask `find`.
        """
        ...

    def elsewhere(self, key: bytes) -> bool:
        """Whether `find` would ask another process: nothing of this key is here."""
        ...

    async def keep(self, key: bytes, entry: Entry, tag: str, stamp: Stamp) -> bool:
        """Keep what was fetched after `stamp`. False when it may be untrue by now, or too big."""
        ...

    def fits(self, stamp: Stamp, tag: str) -> bool:
        """Whether nothing under `tag` was forgotten since: then a call begun then may be joined."""
        ...

    async def purge(self, selector: Selector) -> int:
        """Forget; returns how many. Once it returns, no node answers with any of them.

        Nothing fetched from before is kept afterwards.
        """
        ...

    async def listed(self, selector: Selector, most: int, now: float) -> list[Listed]:
        """Up to `most` fresh entries, newest first."""
        ...

    def stats(self) -> CacheStats: ...


class Charge(msgspec.Struct, frozen=True, gc=False):
    """One use of one budget. `key` names it, `limit` is how people call it.

    `amount`: what a Quota loses by it; of every other budget it is one use.
    """

    key: str
    budget: Budget
    limit: str
    amount: int = 1


class Shortage(msgspec.Struct, frozen=True):
    """The budget that is used up, and seconds until one more call fits."""

    charge: Charge
    retry_after: float


class Remaining(msgspec.Struct, frozen=True):
    """What is left of a budget now. `reset`: seconds until more is left; 0 when nothing is used."""

    charge: Charge
    left: int
    reset: float


class Counters(Protocol):
    async def spend(
        self, charges: Sequence[Charge], now: float, lease: str = ""
    ) -> Shortage | None:
        """Take all charges or none. Returns the shortage with the longest wait, or None.

        `lease` names the call, for `release`. Does not wait when the counters are in this process.
        """
        ...

    def release(self, charges: Sequence[Charge], lease: str) -> None:
        """The call is over: its Slots are free. Never waits, never raises."""
        ...

    async def remaining(self, charges: Sequence[Charge], now: float) -> list[Remaining]:
        """What is left of these budgets, in their order, without using any."""
        ...


class Ledger(Protocol):
    def note(self, record: Record) -> Awaitable[None] | None:
        """Accept a record. None: nothing to wait for (async durability, queue not full).

        Otherwise await it; it fails with LedgerError when the record could not be
        made durable. Raises LedgerError at once when the ledger is already broken.
        """
        ...

    def healthy(self) -> bool: ...


class Approvals(Protocol):
    """Requests for approval, durable. Raises StateError from every method when it cannot say.

    Every end leaves its own audit record and those who may decide are told: the implementation
    sees to both, the gate records its call only. Every method may be awaited from a drive.
    """

    async def request(self, wanted: Wanted, now: float) -> Approval:
        """The open request for exactly this call and policy version, made if there is none.

        A denial stands until the request would have expired: it is returned instead of making a
        new one, or whoever calls again would never hear of it and could ask until somebody gives
        in.
        """
        ...

    async def take(self, id: str, wanted: Wanted, now: float) -> bool:
        """Use up an approval for exactly this call. At most one taker ever gets True."""
        ...

    async def wait(self, id: str, seconds: float) -> Approval | None:
        """The approval once it is decided, or as it is after `seconds`; None for an unknown id."""
        ...

    async def cancel(self, id: str, now: float) -> None:
        """The requester no longer wants it."""
        ...


class StateError(Exception):
    """The state database cannot answer. The text is a sentence for people."""


class Notifier(Protocol):
    """A way to people. Fails soft: what cannot be delivered is logged and counted."""

    async def tell(self, announcement: Announcement) -> None:
        """Returns once it is delivered, or given up. Never raises."""
        ...


class Meter(Protocol):
    def ended(self, call: Call, outcome: Outcome, status: str, seconds: float) -> None:
        """Count one finished call. Never raises."""
        ...

    def redacted(self, server: str, counts: Mapping[str, int]) -> None:
        """Count what was masked in calls to this server, by kind. Never raises."""
        ...
