"""A server with two extensions of the protocol, tasks and MCP Apps, on the `mcp` SDK: http PORT."""

import sys
from typing import Any

import anyio
from mcp.server.apps import Apps
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.subscriptions import SUBSCRIPTION_ID_META_KEY
from mcp_types import (
    CallToolRequestParams,
    Notification,
    RequestParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
)

TASKS = "io.modelcontextprotocol/tasks"


class TaskParams(RequestParams):
    task_id: str


class AnswerParams(TaskParams):
    input_responses: dict[str, Any]


class Said(Notification[Any, str]):
    params: dict[str, Any]


class Tasks(Extension):
    """Each call of `slow` becomes a task that wants a word and is done when it has it."""

    identifier = TASKS

    def __init__(self) -> None:
        self.made: dict[str, str | None] = {}
        self.cancelled: set[str] = set()
        self.changed = anyio.Event()

    def methods(self) -> list[MethodBinding]:
        return [
            MethodBinding("tasks/get", TaskParams, self.get),
            MethodBinding("tasks/update", AnswerParams, self.update),
            MethodBinding("tasks/cancel", TaskParams, self.cancel),
        ]

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: Any, call_next: Any
    ) -> Any:
        able = ctx.session.client_capabilities
        takes_tasks = able is not None and TASKS in (able.extensions or {})
        if params.name != "slow" or not takes_tasks:
            return await call_next(ctx)
        name = f"task-{len(self.made)}"
        self.made[name] = None
        return {"resultType": "task", **self._task(name, "working")}

    def _task(self, name: str, status: str) -> dict[str, Any]:
        times = {"createdAt": "2026-01-01T00:00:00Z", "lastUpdatedAt": "2026-01-01T00:00:00Z"}
        return {"taskId": name, "status": status, "ttlMs": 60000, "pollIntervalMs": 50, **times}

    async def get(self, ctx: Any, params: TaskParams) -> dict[str, Any]:
        name = params.task_id
        if name in self.cancelled:
            return self._task(name, "cancelled")
        word = self.made[name]
        if word is None:
            schema = {"type": "object", "properties": {"word": {"type": "string"}}}
            asks = {"message": "which word?", "requestedSchema": schema, "mode": "form"}
            asked = {"word": {"method": "elicitation/create", "params": asks}}
            return {**self._task(name, "input_required"), "inputRequests": asked}
        link = {"type": "resource_link", "uri": "test://done", "name": "done"}
        said = [{"type": "text", "text": f"done: {word}"}, link]
        result = {"content": said, "resultType": "complete"}
        return {**self._task(name, "completed"), "result": result}

    async def update(self, ctx: Any, params: AnswerParams) -> dict[str, Any]:
        self.made[params.task_id] = params.input_responses["word"]["content"]["word"]
        self._change()
        return {}

    async def cancel(self, ctx: Any, params: TaskParams) -> dict[str, Any]:
        self.cancelled.add(params.task_id)
        self._change()
        return {}

    def _change(self) -> None:
        changed, self.changed = self.changed, anyio.Event()
        changed.set()

    async def listen(self, ctx: Any, params: SubscriptionsListenRequestParams) -> Any:
        """Tells of each task that was asked for, and of each change until all are done."""
        asked = (params.notifications.model_extra or {}).get("taskIds", [])
        left = [name for name in asked if name in self.made]
        meta = {SUBSCRIPTION_ID_META_KEY: ctx.request_id}
        granted = {"notifications": {"taskIds": left}, "_meta": meta}
        await self._tell(ctx, "notifications/subscriptions/acknowledged", granted)
        told: dict[str, str] = {}
        while left:
            changed = self.changed
            for name in list(left):
                task = await self.get(ctx, TaskParams(task_id=name))
                if told.get(name) != task["status"]:
                    told[name] = task["status"]
                    await self._tell(ctx, "notifications/tasks", {**task, "_meta": meta})
                if task["status"] in ("completed", "cancelled"):
                    left.remove(name)
            if left:
                await changed.wait()
        return SubscriptionsListenResult(_meta=meta)

    async def _tell(self, ctx: Any, method: str, params: dict[str, Any]) -> None:
        said = Said(method=method, params=params)
        await ctx.session.send_notification(said, related_request_id=ctx.request_id)


apps = Apps()


@apps.tool(resource_uri="ui://clock/app.html", description="The time, with a page to see it")
def clock(ctx: Context) -> str:
    return "12:00"


apps.add_html_resource("ui://clock/app.html", "<!doctype html><title>Clock</title>")
tasks = Tasks()
server = MCPServer("extended", extensions=[tasks, apps], subscriptions=False)
# The SDK knows `taskIds` of no filter, and no public way to serve a method of the protocol's own.
server._lowlevel_server.add_request_handler(
    "subscriptions/listen", SubscriptionsListenRequestParams, tasks.listen
)


@server.tool(structured_output=False)
def slow() -> str:
    """Takes long."""
    return "at once"


server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
