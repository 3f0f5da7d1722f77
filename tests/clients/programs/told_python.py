"""The `mcp` SDK client hears of its tasks: URL HEADER VALUE PREFIX -> a line of JSON.

It never polls: what it asks next, and what came of its tasks, it knows from the news alone.
"""

import asyncio
import json
import sys
from typing import Any, ClassVar, Literal

import httpx2
from mcp.client.client import Client
from mcp.client.extension import ClientExtension, NotificationBinding
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    CallToolRequest,
    CallToolRequestParams,
    NotificationParams,
    Request,
    RequestParams,
    Result,
    SubscriptionFilter,
    SubscriptionsListenRequest,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
)

TASKS = "io.modelcontextprotocol/tasks"
NEWS = "notifications/tasks"
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"


class Made(Result):
    result_type: Literal["task"] = "task"
    task_id: str


class Told(NotificationParams):
    task_id: str
    status: str
    input_requests: dict[str, Any] | None = None
    result: dict[str, Any] | None = None


class Params(RequestParams):
    task_id: str
    input_responses: dict[str, Any] | None = None


class Asked(Request[Params, str]):
    name_param: ClassVar[str | None] = "taskId"
    method: str
    params: Params


class Hearing(ClientExtension):
    identifier = TASKS

    def __init__(self) -> None:
        self.news: asyncio.Queue[Told] = asyncio.Queue()

    def notifications(self) -> list[NotificationBinding[Any]]:
        return [NotificationBinding(method=NEWS, params_type=Told, handler=self.news.put)]


async def tell(session: Any, task: str, method: str, **more: Any) -> None:
    await session.send_request(Asked(method=method, params=Params(task_id=task, **more)), Result)


async def hear(session: Any, hearing: Hearing, prefix: str) -> dict[str, Any]:
    """Two tasks, of which one is answered and one is cancelled when they ask something."""
    call = CallToolRequest(params=CallToolRequestParams(name=f"{prefix}slow", arguments={}))
    tasks = [(await session.send_request(call, Made)).task_id for _ in range(2)]
    wanted = SubscriptionFilter.model_validate({"taskIds": [*tasks, "nobody's"]})
    params = SubscriptionsListenRequestParams(notifications=wanted)
    request = SubscriptionsListenRequest(params=params)
    stream = asyncio.create_task(session.send_request(request, SubscriptionsListenResult))
    news: list[dict[str, Any]] = []
    while len([each for each in news if each["status"] != "input_required"]) < 2:
        told = await asyncio.wait_for(hearing.news.get(), 60)
        news.append({**told.model_dump(mode="json"), "by": (told.meta or {}).get(SUBSCRIPTION)})
        if told.status != "input_required":
            continue
        if told.task_id == tasks[0]:
            said = {"word": {"action": "accept", "content": {"word": "tea"}}}
            await tell(session, told.task_id, "tasks/update", input_responses=said)
        else:
            await tell(session, told.task_id, "tasks/cancel")
    ended = await asyncio.wait_for(stream, 60)
    return {"tasks": tasks, "news": news, "ended": (ended.meta or {}).get(SUBSCRIPTION)}


async def main(url: str, header: str, value: str, prefix: str) -> None:
    hearing = Hearing()
    async with httpx2.AsyncClient(headers={header: value}, timeout=90) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode="2026-07-28", extensions=[hearing]) as client:
            print(json.dumps(await hear(client.session, hearing, prefix)))


asyncio.run(main(*sys.argv[1:]))
