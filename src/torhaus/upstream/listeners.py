"""Who listens to what a server says unasked: legacy streams and modern subscriptions."""

import asyncio
from dataclasses import dataclass, field

import msgspec

from torhaus.mcp.eras import PREFIX, SUBSCRIPTIONS
from torhaus.mcp.message import encode, notification_text
from torhaus.mcp.methods import UPDATED
from torhaus.model.ports import Notice
from torhaus.model.session import Session
from torhaus.upstream.envelope import Fields, decode, fields, text_of
from torhaus.upstream.flow import Tap
from torhaus.upstream.memory import MAX_URIS
from torhaus.upstream.unsaid import Unsaid

SUBSCRIPTION = PREFIX + "subscriptionId"
CHANGES = {
    "notifications/tools/list_changed": ("tools", "toolsListChanged"),
    "notifications/prompts/list_changed": ("prompts", "promptsListChanged"),
    "notifications/resources/list_changed": ("resources", "resourcesListChanged"),
}
"""Notification -> the capability that announces it, and its name in a modern filter."""


@dataclass(slots=True, eq=False)
class Listener:
    """The one stream of a legacy session. `over` ends it."""

    session: Session
    tap: Tap
    over: asyncio.Future[None] = field(default_factory=asyncio.Future)


@dataclass(slots=True, eq=False)
class Subscription:
    """A modern `subscriptions/listen`. `id`: JSON text of its request id; `wanted`: its filter.

    `uris`: the resources of which it hears that they have changed.
    """

    id: bytes
    wanted: frozenset[str]
    tap: Tap
    uris: frozenset[str] = frozenset()
    over: asyncio.Future[None] = field(default_factory=asyncio.Future)
    unsaid: Unsaid = field(init=False)

    def __post_init__(self) -> None:
        self.unsaid = Unsaid(lambda method: self.changed(method, {}))

    def acknowledge(self) -> None:
        granted: dict[str, object] = dict.fromkeys(sorted(self.wanted), True)
        if self.uris:
            granted[SUBSCRIPTIONS] = sorted(self.uris)
        params = encode({"_meta": self._meta(), "notifications": granted})
        self._tell("notifications/subscriptions/acknowledged", params)

    def changed(self, method: str, params: Fields) -> None:
        if CHANGES[method][1] in self.wanted:
            self._tag(method, params)

    def updated(self, params: Fields) -> None:
        uri = text_of(params, "uri")
        if uri is not None and any(is_in(uri, each) for each in self.uris):
            self._tag(UPDATED, params)

    def _tag(self, method: str, params: Fields) -> None:
        meta = {**fields(params.get("_meta")), **self._meta()}
        self._tell(method, encode({**params, "_meta": meta}))

    def result(self) -> bytes:
        """The answer that ends it in order."""
        return encode({"resultType": "complete", "_meta": self._meta()})

    def _meta(self) -> Fields:
        return {SUBSCRIPTION: msgspec.Raw(self.id)}

    def _tell(self, method: str, params: bytes) -> None:
        self.tap.notice(Notice(body=notification_text(method, params), method=method))


def honoured(params: bytes, capabilities: dict[str, object]) -> frozenset[str]:
    """What of a requested filter the server can really announce."""
    asked = fields(fields(params).get("notifications"))
    wanted = {name for name, value in asked.items() if decode(value) is True}
    return frozenset(
        name
        for capability, name in CHANGES.values()
        if name in wanted and _announces(capabilities.get(capability))
    )


def resources(params: bytes, capabilities: dict[str, object]) -> frozenset[str]:
    """The resources of a requested filter, where the server tells of any."""
    about = capabilities.get("resources")
    if not isinstance(about, dict) or about.get("subscribe") is not True:
        return frozenset()
    asked = fields(fields(params).get("notifications")).get(SUBSCRIPTIONS)
    found = decode(asked) if asked else None
    listed = found if isinstance(found, list) else []
    return frozenset([each for each in listed if isinstance(each, str)][:MAX_URIS])


def is_in(uri: str, whole: str) -> bool:
    """Whether a resource is that one, or a part of it: servers may tell of either."""
    return uri == whole or uri.startswith(whole if whole.endswith("/") else whole + "/")


def may_change(capabilities: dict[str, object]) -> dict[str, object]:
    """Servers tell of changes that they did not announce, and so does the gateway."""
    return {name: {"listChanged": True} for name in capabilities}


def _silent(capability: object) -> bool:
    """Whether the server has such a list and does not say when it changes."""
    return isinstance(capability, dict) and capability.get("listChanged") is not True


def _announces(capability: object) -> bool:
    return isinstance(capability, dict) and capability.get("listChanged") is True


class Listeners:
    """Everybody who listens on one conversation."""

    __slots__ = ("_streams", "_subscriptions")

    def __init__(self) -> None:
        self._streams: dict[str, Listener] = {}
        self._subscriptions: set[Subscription] = set()

    def __bool__(self) -> bool:
        return bool(self._streams or self._subscriptions)

    def subscribed(self) -> bool:
        return bool(self._subscriptions)

    def streams(self) -> dict[str, Tap]:
        """By session, the newest last."""
        return {jti: listener.tap for jti, listener in self._streams.items()}

    def add(self, listener: Listener) -> None:
        """It replaces the session's older stream, so that nothing is told twice."""
        self.end(listener.session.jti)
        self._streams[listener.session.jti] = listener

    async def stay(self, listener: Listener) -> None:
        """Wait until it is cancelled, replaced or closed."""
        jti = listener.session.jti
        try:
            await listener.over
        finally:
            if self._streams.get(jti) is listener:
                del self._streams[jti]
            listener.tap.release()

    async def follow(self, subscription: Subscription) -> None:
        self._subscriptions.add(subscription)
        try:
            subscription.acknowledge()
            await subscription.over
        finally:
            self._subscriptions.discard(subscription)
            subscription.unsaid.end()
            subscription.tap.release()

    def changed(self, method: str, params: Fields) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.changed(method, params)

    def called(self, capabilities: dict[str, object]) -> None:
        """A call has ended that may have changed lists, on a server that offers this."""
        kinds = frozenset(
            method for method, (kind, _) in CHANGES.items() if _silent(capabilities.get(kind))
        )
        for subscription in tuple(self._subscriptions):
            subscription.unsaid.called(kinds)

    def updated(self, params: Fields) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.updated(params)

    def end(self, jti: str) -> None:
        listener = self._streams.pop(jti, None)
        if listener is not None:
            _over(listener.over)

    def end_all(self) -> None:
        for listener in self._streams.values():
            _over(listener.over)
        for subscription in self._subscriptions:
            _over(subscription.over)


def _over(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
