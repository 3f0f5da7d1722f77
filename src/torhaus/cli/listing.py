"""Ask a server directly what tools it offers: no gateway, no policy, no record."""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from torhaus.mcp.message import encode
from torhaus.mcp.versions import CAPABILITIES_KEY, MODERN, VERSION_KEY
from torhaus.model.ports import Ask, Link, Notice, UpstreamError
from torhaus.model.servers import Era, Server
from torhaus.upstream.links import Links

PATIENCE = 30.0
MAX_PAGES = 50


class Tool(msgspec.Struct, frozen=True):
    """One tool as its server describes it."""

    name: str
    title: str | None = None
    description: str | None = None
    annotations: Mapping[str, Any] | None = None


class _Page(msgspec.Struct):
    tools: list[Tool]
    nextCursor: str | None = None  # noqa: N815 -- the protocol's spelling


_read = msgspec.json.Decoder(_Page).decode


class Deaf:
    """A sink for what comes before the answer: nobody listens."""

    throttle: Callable[[bool], None] | None = None

    def opened(self) -> None:
        """Nothing to do."""

    def notice(self, notice: Notice) -> None:
        """Nothing to do."""


def listed(servers: list[Server], patience: float = PATIENCE) -> list[list[Tool] | str]:
    """What each server offers, in the same order; or the sentence why it cannot be asked."""
    return asyncio.run(_listed(servers, patience))


async def _listed(servers: list[Server], patience: float) -> list[list[Tool] | str]:
    count = itertools.count(1)
    links = Links(lambda: f"torhaus-{next(count)}")
    try:
        return list(await asyncio.gather(*(_one(links.link(each), patience) for each in servers)))
    finally:
        await links.shutdown()


async def _one(link: Link, patience: float) -> list[Tool] | str:
    try:
        async with asyncio.timeout(patience):
            return await _tools(link)
    except TimeoutError:
        return f"it does not answer within {patience:g} s"
    except UpstreamError as error:
        return str(error)
    except msgspec.MsgspecError:
        return "what it says of its tools is no answer to tools/list"


async def _tools(link: Link) -> list[Tool]:
    """Raises UpstreamError, msgspec.MsgspecError."""
    found: list[Tool] = []
    cursor: str | None = None
    for number in range(MAX_PAGES):
        params: dict[str, Any] = {} if cursor is None else {"cursor": cursor}
        params["_meta"] = {VERSION_KEY: MODERN, CAPABILITIES_KEY: {}}
        ask = Ask(
            method="tools/list",
            id=encode(f"list-{number}"),
            params=encode(params),
            era=Era.MODERN,
            principal="torhaus",
            timeout=PATIENCE,
        )
        answer = await link.request(ask, Deaf())
        if answer.result is None:
            raise UpstreamError("it does not list its tools")
        page = _read(answer.result)
        found += page.tools
        cursor = page.nextCursor
        if cursor is None:
            break
    return found
