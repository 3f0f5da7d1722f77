"""One call while it is decided: what is known of it, and what conditions may ask about it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torhaus.model.access import Access
from torhaus.model.call import Call
from torhaus.model.people import Phase
from torhaus.model.servers import ToolClass
from torhaus.model.verdict import Step
from torhaus.policy.classify import Classified, lineage
from torhaus.policy.index import Index, index
from torhaus.policy.targets import EVERY_KIND, NOTHING, Targets, targets, within_uris

Trace = list[Step] | None


class Asked:
    """`open`: a request that any permission on the server is enough for, such as a list.

    `lineage`: the type of thing and those it belongs to. `uris`: of a request about resources.
    """

    __slots__ = (
        "access",
        "call",
        "does",
        "index",
        "lineage",
        "now",
        "open",
        "phase",
        "targets",
        "uris",
    )

    def __init__(self, call: Call, now: float, phase: Phase, does: Classified | None) -> None:
        self.call = call
        self.now = now
        self.phase = phase
        self.access: Access = phase.on(call.server.name)
        self.index: Index = index(self.access)
        self.open = does is None
        self.does: Classified = OPEN if does is None else does
        self.lineage = lineage(self.does.type, call.server.parents)
        self.targets: Targets = NOTHING
        self.uris: tuple[object, ...] | None = None

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a condition may ask about; few calls meet one."""
        return Facts(self)

    def about(self, kinds: frozenset[str]) -> Targets:
        """The targets of these kinds that the call names."""
        if self.open:
            return NOTHING
        if self.call.method == "tools/call":
            row: ToolClass | None = self.does.row
            return targets(row, self.does.arguments, kinds)
        return Targets(unknown=kinds) if self.uris is None else within_uris(self.uris, kinds)

    @property
    def vague(self) -> bool:
        """Nobody knows what type of thing it is about, so it may be any."""
        return self.does.type in ("", "*")

    @property
    def unknown(self) -> bool:
        """Nobody knows what it does, so it may do anything."""
        return "unknown" in self.does.actions


OPEN = Classified(actions=frozenset(), type="", tool="", source="method")


class Facts(Mapping[str, Any]):
    """What a condition may ask about, worked out when it does."""

    __slots__ = ("_asked",)

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def __len__(self) -> int:
        return len(_FACTS)

    def __iter__(self) -> Iterator[str]:
        return iter(_FACTS)

    def __getitem__(self, name: str) -> Any:
        """Raises ValueError where it cannot be told."""
        return _FACTS[name](self._asked)


def _named(asked: Asked) -> list[str]:
    about = asked.about(EVERY_KIND)
    if about.problem is not None:
        raise ValueError(about.problem)
    if about.unknown:
        raise ValueError("what the call is about cannot be told from its arguments")
    return sorted(name.lower() for _, name in about.named)


_FACTS: Mapping[str, Callable[[Asked], Any]] = {
    "user": lambda asked: asked.call.caller.email,
    "roles": lambda asked: list(asked.phase.roles),
    "groups": lambda asked: list(asked.call.caller.groups),
    "server": lambda asked: asked.call.server.name,
    "environment": lambda asked: asked.call.server.environment or "",
    "tool": lambda asked: asked.does.tool if asked.call.method == "tools/call" else "",
    "actions": lambda asked: sorted(asked.does.actions),
    "types": lambda asked: [asked.does.type] if asked.does.type else [],
    "targets": _named,
    "tags": lambda asked: sorted(asked.does.tags),
    "args": lambda asked: asked.does.arguments,
    "ip": lambda asked: asked.call.ip,
    "client": lambda asked: asked.call.client,
    "now": lambda asked: asked.now,
}
