"""The `mcp` SDK client at a tool that needs approval: URL MODE KEY ACTION TOOL ARGUMENTS.

ACTION: what its user does with a link (`accept`, `decline`, `cancel`), or `none` for a client that
can show none. Prints one line of JSON for everything that happens; the last one has the result.
"""

import asyncio
import json
import sys
from typing import Any

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


async def progressed(progress: float, total: float | None, message: str | None) -> None:
    say(progress=progress, message=message)


async def main(url: str, mode: str, key: str, action: str, tool: str, arguments: str) -> None:
    async def asked(context: Any, params: Any) -> ElicitResult:
        say(asked=params.model_dump(mode="json", by_alias=True, exclude_none=True))
        return ElicitResult(action=action)

    shows = {} if action == "none" else {"elicitation_callback": asked}
    async with httpx2.AsyncClient(headers={"apikey": key}, timeout=90) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode, **shows) as client:
            result = await client.call_tool(
                tool, json.loads(arguments), progress_callback=progressed
            )
            say(
                text=result.content[0].text,
                error=bool(result.is_error),
                meta=result.meta or {},
            )


asyncio.run(main(*sys.argv[1:]))
