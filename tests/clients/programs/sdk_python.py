"""The `mcp` SDK client: URL MODE HEADER VALUE TOOL ARGUMENTS -> one line of JSON."""

import asyncio
import json
import sys

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client


async def main(url: str, mode: str, header: str, value: str, tool: str, arguments: str) -> None:
    async with httpx2.AsyncClient(headers={header: value}, timeout=90) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode) as client:
            tools = [each.name for each in (await client.list_tools()).tools]
            result = await client.call_tool(tool, json.loads(arguments))
            text = result.content[0].text
            print(json.dumps({"tools": tools, "text": text, "error": bool(result.is_error)}))


asyncio.run(main(*sys.argv[1:]))
