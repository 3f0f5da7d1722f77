"""HTTP to where others point, as a port."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class FetchError(Exception):
    """Nothing was fetched. The text is a sentence for people, without a word of the answer."""


class Fetched(msgspec.Struct, frozen=True):
    """An answer that is no redirect. `headers`: names in lower case, the last of each."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Fetch(Protocol):
    """HTTP to where others point: metadata, keys, tokens. Raises FetchError.

    Only public addresses are reached, over https; besides, the networks of `egress.allow`, and the
    origins (scheme, host, port) of the URLs in `named`: those the administrator wrote himself may
    have private addresses, and http on loopback. What metadata points to counts as written by
    others. No redirect is followed, no proxy asked. `limit`: most octets of a body. Await it in a
    task, never in a drive.
    """

    async def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        named: Sequence[str] = (),
        limit: int = 65536,
    ) -> Fetched: ...

    async def post(
        self,
        url: str,
        form: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        *,
        named: Sequence[str] = (),
        limit: int = 65536,
    ) -> Fetched: ...

    async def send(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        named: Sequence[str] = (),
        limit: int = 65536,
    ) -> Fetched:
        """POST JSON text."""
        ...
