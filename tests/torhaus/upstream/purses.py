"""A wallet without a database, and a server that asks for tokens."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tests.torhaus.upstream.servers.http_server import Heard, Wire, head, result, whole
from tests.torhaus.upstream.servers.mcp_server import McpServer
from torhaus.model.ports import StateError
from torhaus.model.vault import Content, Held, Kept, Standing, VaultKind


def held(value: str, **changes: Any) -> Held:
    content = {n: changes.pop(n) for n in Content.__struct_fields__ if n in changes}
    kept = {
        "id": f"vlt-{value}",
        "server": "web",
        "kind": VaultKind.BEARER,
        "key_id": "k",
        "sealed": b"",
        "created": 1.0,
        "created_by": "",
        "rotated": 1.0,
    }
    blocked = changes.pop("blocked", "")
    return Held(Kept(**{**kept, **changes}), Content(value=value, **content), blocked)


def previous(value: str, **changes: Any) -> Held:
    return held(value, state=Standing.PREVIOUS, **changes)


class MemoryWallet:
    """A `Wallet`. `down`: the database does not answer."""

    def __init__(self, *helds: Held) -> None:
        self.helds = list(helds)
        self.down = False
        self.cold = False
        self.claimed: set[tuple[str, int]] = set()
        self.stood: list[str] = []
        self.troubles: list[str] = []
        self.clock: Callable[[], float] = lambda: 1.0

    def known(self, server: str, email: str) -> tuple[Held, ...] | None:
        return None if self.cold else self._of(server, email)

    def _of(self, server: str, email: str) -> tuple[Held, ...]:
        mine = (server, email)
        return tuple(e for e in self.helds if (e.kept.server, e.kept.email) == mine)

    async def look(self, server: str, email: str) -> tuple[Held, ...]:
        self._up()
        return self._of(server, email)

    async def register(self, server: str, issuer: str, content: Content) -> None:
        self._up()
        made = held("client", server=server, issuer=issuer, kind=VaultKind.OAUTH_CLIENT)
        made = Held(msgspec.structs.replace(made.kept, created=self.clock()), content)
        same = (server, issuer, VaultKind.OAUTH_CLIENT)
        self.helds = [
            each
            for each in self.helds
            if (each.kept.server, each.kept.issuer, each.kept.kind) != same
        ]
        self.helds.append(Held(made.kept, content))

    async def exchanged(self, held: Held, tokens: Held) -> bool:
        self._up()
        if held.kept.id not in {each.kept.id for each in self.helds}:
            return False
        kind, where = VaultKind.OAUTH_ENTERPRISE, (tokens.kept.server, tokens.kept.email)
        former = [e for e in self._of(*where) if e.kept.kind is kind]
        version = max((each.kept.version for each in former), default=0) + 1
        self.helds = [each for each in self.helds if each not in former]
        kept = msgspec.structs.replace(tokens.kept, version=version)
        self.helds.append(Held(kept, tokens.content))
        return True

    async def claim(self, held: Held) -> bool:
        self._up()
        key = (held.kept.id, held.kept.version)
        first = key not in self.claimed
        self.claimed.add(key)
        return first

    async def refreshed(self, held: Held, content: Content, expires: float | None) -> bool:
        self._up()
        for at, each in enumerate(self.helds):
            if (each.kept.id, each.kept.version) == (held.kept.id, held.kept.version):
                newer = each.kept.version + 1
                kept = msgspec.structs.replace(each.kept, version=newer, expires=expires)
                self.helds[at] = Held(kept, content)
                return True
        return False

    async def failed(self, held: Held, text: str) -> None:
        self._up()
        self.claimed.discard((held.kept.id, held.kept.version))
        self.troubles.append(text)

    async def stood_in(self, new: Held) -> None:
        self.stood.append(new.content.value)

    def _up(self) -> None:
        if self.down:
            raise StateError("the state database cannot answer: it is down")


async def _who(wire: Wire, heard: Heard) -> None:
    """Say whose token it was, and repeat the token as a careless server would."""
    token = heard.headers.get("authorization", "")
    text = json.dumps({"who": heard.headers["x-who"], "token": token})
    said = {"resultType": "complete", "content": [{"type": "text", "text": text}]}
    wire.say(whole(result(heard.message["id"], said)))


@dataclass
class Guarded(McpServer):
    """Lets in who shows one of `tokens` (token -> whose). `shown`: each one it saw, in order."""

    tokens: dict[str, str] = field(default_factory=dict)
    challenge: str = "Bearer"
    header: str = "authorization"
    shown: list[str] = field(default_factory=list)
    tool: Any = _who

    async def react(self, wire: Wire, heard: Heard) -> None:
        token = heard.headers.get(self.header, "").removeprefix("Bearer ")
        self.shown.append(token)
        if token not in self.tokens:
            wire.say(
                head("401 Unauthorized", f"www-authenticate: {self.challenge}", "content-length: 0")
            )
            return
        heard.headers["x-who"] = self.tokens[token]
        await super().react(wire, heard)


def guarded(tokens: Iterable[str], **more: Any) -> Guarded:
    return Guarded(tokens={each: each.partition("-")[0] for each in tokens}, **more)
