"""Everything but tools at many servers, with the `mcp` SDK: URL MODE KEY -> one line of JSON."""

import asyncio
import json
import sys
from typing import Any

import httpx2
from mcp import types
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

SERVER = "everything-http"
asked: list[str] = []
heard: list[float] = []


async def answers(context: object, params: Any) -> types.ElicitResult:
    asked.append(params.message)
    return types.ElicitResult(action="decline")


async def counts(progress: float, total: float | None, message: str | None) -> None:
    heard.append(progress)


async def main(url: str, mode: str, key: str) -> None:
    seen: dict[str, Any] = {}
    async with httpx2.AsyncClient(headers={"apikey": key}, timeout=90) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode, elicitation_callback=answers) as client:
            seen["version"] = client.protocol_version
            listed = (await client.list_resources()).resources
            mine = [each.uri for each in listed if str(each.uri).startswith(f"{SERVER}+")]
            read = await client.read_resource(mine[0])
            seen["read"] = (str(mine[0]), str(read.contents[0].uri))
            notes = await client.read_resource("tickets-http+tickets://readme")
            seen["notes"] = notes.contents[0].text
            templates = (await client.list_resource_templates()).resource_templates
            seen["templates"] = sorted({each.uri_template.split("+")[0] for each in templates})
            prompts = [each.name for each in (await client.list_prompts()).prompts]
            seen["prompts"] = sorted({name.split("__")[0] for name in prompts})
            prompt = await client.get_prompt("tickets-http__triage", {"number": "7"})
            seen["prompt"] = prompt.messages[0].content.text
            links = await client.call_tool(f"{SERVER}__get-resource-links", {"count": 2})
            seen["links"] = [str(each.uri) for each in links.content if hasattr(each, "uri")]
            first = await client.read_resource(seen["links"][0])
            seen["followed"] = str(first.contents[0].uri) == seen["links"][0]
            await client.call_tool(
                f"{SERVER}__trigger-long-running-operation",
                {"duration": 0.3, "steps": 3},
                progress_callback=counts,
            )
            seen["progress"] = heard
            await client.call_tool(f"{SERVER}__trigger-elicitation-request", {})
            seen["asked"] = [message.split(" ")[0] for message in asked]
    print(json.dumps(seen))


asyncio.run(main(*sys.argv[1:]))
