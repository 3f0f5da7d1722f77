"""The `mcp` SDK client with two extensions: URL MODE HEADER VALUE PREFIX -> a line of JSON."""

import asyncio
import json
import sys
from typing import Any, ClassVar, Literal

import httpx2
from mcp.client.client import Client
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim, advertise
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, Request, RequestParams, Result

TASKS, APPS = "io.modelcontextprotocol/tasks", "io.modelcontextprotocol/ui"


class Made(Result):
    result_type: Literal["task"] = "task"
    task_id: str
    status: str


class Polled(Result):
    task_id: str | None = None
    status: str | None = None
    input_requests: dict[str, Any] | None = None
    result: dict[str, Any] | None = None


class Params(RequestParams):
    task_id: str
    input_responses: dict[str, Any] | None = None


class Asked(Request[Params, str]):
    name_param: ClassVar[str | None] = "taskId"
    method: str
    params: Params


class Following(ClientExtension):
    """Polls a task to its end, answers what it asks, and cancels it where told to."""

    identifier = TASKS

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.asked: list[str] = []
        self.cancel = False

    def claims(self) -> list[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=Made, resolve=self.follow)]

    async def ask(self, ctx: ClaimContext, method: str, **more: Any) -> Any:
        request = Asked(method=method, params=Params(**more))
        return await ctx.session.send_request(request, Polled)

    async def follow(self, made: Made, ctx: ClaimContext) -> CallToolResult:
        name = made.task_id
        if self.cancel:
            await self.ask(ctx, "tasks/cancel", task_id=name)
        while True:
            polled = await self.ask(ctx, "tasks/get", task_id=name)
            self.ids += [name, polled.task_id]
            if polled.status == "cancelled":
                return CallToolResult(content=[], is_error=True)
            if polled.result is not None:
                return CallToolResult.model_validate(polled.result)
            for key, each in (polled.input_requests or {}).items():
                self.asked.append(each["params"]["message"])
                said = {key: {"action": "accept", "content": {"word": "tea"}}}
                await self.ask(ctx, "tasks/update", task_id=name, input_responses=said)


async def main(url: str, mode: str, header: str, value: str, prefix: str) -> None:
    following, seen = Following(), {}
    extensions = [following, advertise(APPS, {"mimeTypes": ["text/html;profile=mcp-app"]})]
    async with httpx2.AsyncClient(headers={header: value}, timeout=90) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode, extensions=extensions) as client:
            tools = {each.name: each for each in (await client.list_tools()).tools}
            seen["extensions"] = sorted(client.server_capabilities.extensions or {})
            page = tools[f"{prefix}clock"].meta["ui"]["resourceUri"]
            seen["page"] = page
            read = await client.read_resource(page)
            seen["read"] = [str(read.contents[0].uri), read.contents[0].text[:15]]
            done = await client.call_tool(f"{prefix}slow", {})
            seen["done"] = [
                each.text if each.type == "text" else str(each.uri) for each in done.content
            ]
            following.cancel = True
            seen["cancelled"] = (await client.call_tool(f"{prefix}slow", {})).is_error
    print(json.dumps({**seen, "ids": following.ids, "asked": following.asked}))


asyncio.run(main(*sys.argv[1:]))
