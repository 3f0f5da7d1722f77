"""The `mcp` SDK client of an agent that searches: URL MODE HEADER VALUE -> a line of JSON."""

import asyncio
import json
import sys

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult


async def main(url: str, mode: str, header: str, value: str) -> None:
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
            listed = [each.name for each in (await client.list_tools()).tools]
            texts = {}
            for name in ("old__interview", "new__rounds"):
                query = {"query": f"ask three times {name.partition('__')[2]}"}
                found = await client.call_tool("search_tools", query)
                hits = [each["name"] for each in json.loads(found.content[0].text)["tools"]]
                told = await client.call_tool("describe_tools", {"names": [name]})
                schema = json.loads(told.content[0].text)["tools"][0]["inputSchema"]
                through = {"name": name, "arguments": {}}
                said = await client.call_tool("call_tool", through, progress_callback=step)
                direct = await client.call_tool(name, {})
                texts[name] = {
                    "found": name in hits,
                    "schema": schema["type"],
                    "text": said.content[0].text,
                    "direct": direct.content[0].text,
                }
            print(json.dumps({"tools": listed, "asked": asked, "steps": steps, "texts": texts}))


asyncio.run(main(*sys.argv[1:]))
