"""Connecting an account at a server behind the gate: out to its authorization server, and back."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from torhaus.model.servers import Server
from torhaus.model.vault import Content


class Journey(msgspec.Struct, frozen=True):
    """Where the browser is sent. `state` comes back with it.

    `private`: what must be known then; it is kept sealed and no other browser has it.
    """

    url: str
    state: str
    private: Mapping[str, str]


class Connected(msgspec.Struct, frozen=True):
    """What to keep in the vault. `expires`: of the access token, Unix seconds."""

    content: Content
    issuer: str
    expires: float | None = None


class Connecting(Protocol):
    """Both raise UpstreamError with a sentence for the person. They need a task."""

    async def depart(self, server: Server, scope: str, callback: str) -> Journey:
        """`scope`: what the server asked for besides. `callback`: where the browser comes back."""
        ...

    async def arrive(
        self, server: Server, private: Mapping[str, str], query: Mapping[str, str]
    ) -> Connected:
        """`query`: what the browser brought back, each name once."""
        ...
