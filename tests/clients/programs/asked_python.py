"""The `mcp` SDK client of a person who answers: URL MODE HEADER VALUE TOOL -> a line of JSON."""

import asyncio
import json
import sys

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult


async def main(url: str, mode: str, header: str, value: str, tool: str) -> None:
    asked: list[str] = []
    steps: list[float] = []

    async def answer(_: object, params: object) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="accept", content={"word": f"w{len(asked)}"})

    async def step(progress: float, _total: object, _message: object) -> None:
        steps.append(progress)

    async with httpx2.AsyncClient(headers={header: value}, timeout=90) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode, elicitation_callback=answer) as client:
            result = await client.call_tool(tool, {}, progress_callback=step)
            text = result.content[0].text
            print(json.dumps({"asked": asked, "text": text, "steps": steps}))


asyncio.run(main(*sys.argv[1:]))
