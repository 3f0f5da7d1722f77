"""The `fastmcp` client: URL MODE HEADER VALUE TOOL ARGUMENTS -> one line of JSON."""

import asyncio
import json
import sys

from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport


async def main(url: str, mode: str, header: str, value: str, tool: str, arguments: str) -> None:
    transport = StreamableHttpTransport(url, headers={header: value})
    async with Client(transport, mode=mode) as client:
        tools = [each.name for each in await client.list_tools()]
        result = await client.call_tool(tool, json.loads(arguments), raise_on_error=False)
        text = result.content[0].text
        print(json.dumps({"tools": tools, "text": text, "error": bool(result.is_error)}))


asyncio.run(main(*sys.argv[1:]))
