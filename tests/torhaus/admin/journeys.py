"""An authorization server that somebody has been to."""

from collections.abc import Mapping

from torhaus.model.connecting import Connected, Journey
from torhaus.model.ports import UpstreamError
from torhaus.model.servers import Server
from torhaus.model.vault import Content


class MemoryConnecting:
    """A `Connecting`. `down`: why nobody can go there."""

    def __init__(self) -> None:
        self.down: str | None = None
        self.departed: list[tuple[str, str, str]] = []
        self.code = "code-1"

    async def depart(self, server: Server, scope: str, callback: str) -> Journey:
        if self.down is not None:
            raise UpstreamError(self.down)
        self.departed.append((server.name, scope, callback))
        private = {"state": "state-1", "verifier": "canary-verifier"}
        return Journey("https://as.example/authorize?a=1&state=state-1", "state-1", private)

    async def arrive(
        self, server: Server, private: Mapping[str, str], query: Mapping[str, str]
    ) -> Connected:
        if query.get("state") != private["state"] or query.get("code") != self.code:
            raise UpstreamError("the answer does not belong to this browser: begin anew")
        content = Content(value="canary-access", refresh="canary-refresh", scope="read")
        return Connected(content=content, issuer="https://as.example", expires=9e9)
