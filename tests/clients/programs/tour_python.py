"""Everything a client can do, with a Python SDK: KIND MODE HEADER VALUE TARGETS -> a line of JSON.

KIND: `sdk`, `fastmcp`, and `sdk-sse`, `fastmcp-sse` for the old transport. TARGETS: a JSON list of
[name, url]. The line: target -> feature -> `yes`, or what went wrong.
"""

import asyncio
import json
import sys
import warnings
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio
import fastmcp
import httpx2
import mcp_types as t
from fastmcp.client.transports import SSETransport, StreamableHttpTransport
from mcp.client.client import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

warnings.simplefilter("ignore")  # what a revision has given up is what is tried here
WATCHED = "tour://watched"
PATIENCE = 40.0
UNABLE = "unable"
"""The client has no way to do it."""


class Ears:
    """What a client hears outside of its calls."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.steps: list[float] = []
        self.logged: list[Any] = []
        self.heard: list[str] = []
        self.rang = anyio.Event()

    async def form(self, _: Any, params: Any) -> t.ElicitResult:
        self.asked.append(params.message)
        return t.ElicitResult(action="accept", content={"word": f"w{len(self.asked)}"})

    async def fast_form(self, message: str, *_: Any) -> Any:
        self.asked.append(message)
        return {"word": f"w{len(self.asked)}"}

    async def said(self, *_: Any) -> t.CreateMessageResult:
        content = t.TextContent(type="text", text="Paris")
        return t.CreateMessageResult(role="assistant", content=content, model="stub")

    async def roots(self, *_: Any) -> t.ListRootsResult:
        return t.ListRootsResult(roots=[t.Root(uri="file:///bridge")])

    async def log(self, message: Any) -> None:
        self.logged.append(message.data)
        self.rang.set()

    async def step(self, progress: float, *_: Any) -> None:
        self.steps.append(progress)
        self.rang.set()

    async def notice(self, message: Any) -> None:
        self.heard.append(str(getattr(getattr(message, "root", message), "method", message)))
        self.rang.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        with anyio.fail_after(PATIENCE):
            while not condition():
                self.rang = anyio.Event()
                await self.rang.wait()


def http(header: str, value: str) -> Callable[..., httpx2.AsyncClient]:
    def client(headers: Any = None, timeout: Any = 30, auth: Any = None) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(headers={header: value}, timeout=90)

    return client


def build(kind: str, mode: str, url: str, door: tuple[str, str], ears: Ears) -> Any:
    """The client as its documentation builds it."""
    if kind.startswith("fastmcp"):
        transport = SSETransport if kind.endswith("sse") else StreamableHttpTransport
        return fastmcp.Client(
            transport(url, headers={door[0]: door[1]}),
            mode=mode,
            roots=["file:///bridge"],
            elicitation_handler=ears.fast_form,
            sampling_handler=lambda *_: "Paris",
            log_handler=ears.log,
            message_handler=ears.notice,
        )
    make = http(*door)
    wire = (
        sse_client(url, httpx_client_factory=make)
        if kind.endswith("sse")
        else streamable_http_client(url, http_client=make())
    )
    return Client(
        wire,
        mode=mode,
        elicitation_callback=ears.form,
        sampling_callback=ears.said,
        list_roots_callback=ears.roots,
        logging_callback=ears.log,
        log_level="info",
        message_handler=ears.notice,
    )


class Tour:
    def __init__(self, client: Any, ears: Ears, name: str) -> None:
        self.client = client
        self.ears = ears
        self.name = name
        self.fast = isinstance(client, fastmcp.Client)
        self.modern = client.protocol_version == "2026-07-28"

    async def tool(self, name: str, /, **arguments: Any) -> str:
        result = await self.client.call_tool(name, arguments)
        return str(result.content[0].text)

    async def listed(self, what: str) -> list[Any]:
        found = await getattr(self.client, f"list_{what}")()
        return found if self.fast else list(getattr(found, what))

    async def lists(self) -> None:
        assert {"echo", "grow"} <= {each.name for each in await self.listed("tools")}
        assert await self.tool("echo", text="hello") == "hello"
        assert [each.name for each in await self.listed("prompts")] == ["greet"]
        assert [str(each.uri) for each in await self.listed("resources")] == [WATCHED]
        templates = await self.listed("resource_templates")
        assert [each.uri_template for each in templates] == ["tour://stops/{name}"]
        greeted = await self.client.get_prompt("greet", {"name": "Ada"})
        assert greeted.messages[0].content.text == "Good morning, Ada."
        read = await self.client.read_resource("tour://stops/mill")
        assert (read if self.fast else read.contents)[0].text == "the mill"

    async def completion(self) -> None:
        ref = t.PromptReference(type="ref/prompt", name="greet")
        result = await self.client.complete(ref, {"name": "name", "value": "w"})
        values = result.values if self.fast else result.completion.values
        assert values == ["w-gate"], values

    async def progress(self) -> None:
        key = "progress_handler" if self.fast else "progress_callback"
        await self.client.call_tool("steps", {}, **{key: self.ears.step})
        assert self.ears.steps == [1, 2, 3], self.ears.steps

    async def logs(self) -> str | None:
        if not self.modern:
            await self.client.set_logging_level("info")
        elif self.fast:
            return UNABLE  # it does not say a level, without which a server may not log
        await self.tool("logs")
        await self.ears.until(lambda: self.ears.logged != [])
        assert "the bridge creaks" in str(self.ears.logged[0]), self.ears.logged
        return None

    async def elicitation(self) -> None:
        self.ears.asked.clear()
        assert await self.tool("elicit") == "w1"
        assert self.ears.asked == ["a word?"]

    async def rounds(self) -> None:
        self.ears.asked.clear()
        assert await self.tool("rounds") == "w1 w2 w3"
        assert self.ears.asked == [f"the {each} word?" for each in ("first", "second", "third")]

    async def sampling(self) -> None:
        assert await self.tool("sample") == "Paris"

    async def roots(self) -> None:
        assert (await self.tool("roots")).startswith("file:///bridge")

    async def cancelling(self) -> None:
        self.ears.steps.clear()
        key = "progress_handler" if self.fast else "progress_callback"
        call = self.client.call_tool
        async with anyio.create_task_group() as group:
            group.start_soon(
                lambda: call("wait", {"key": self.name}, **{key: self.ears.step}), name="wait"
            )
            await self.ears.until(lambda: self.ears.steps != [])
            group.cancel_scope.cancel()

    async def hear(self, what: str, act: Callable[[], Awaitable[Any]], **wanted: Any) -> None:
        if not self.modern:
            if "resource_subscriptions" in wanted:
                await self.client.subscribe_resource(WATCHED)
            await act()
            await self.ears.until(lambda: what in " ".join(self.ears.heard))
            return
        async with self.client.listen(**wanted) as stream:
            await act()
            with anyio.fail_after(PATIENCE):
                event = await anext(aiter(stream))
            told = type(event).__name__
            assert told == {"tools/list_changed": "ToolsListChanged"}.get(what, "ResourceUpdated")

    async def list_changes(self) -> str | None:
        if self.modern and self.fast:
            return UNABLE  # it has no call for `subscriptions/listen`
        name = f"grown_{self.name.replace('-', '_')}"
        await self.hear(
            "tools/list_changed", lambda: self.tool("grow", name=name), tools_list_changed=True
        )
        return None

    async def updates(self) -> str | None:
        if self.fast:
            return UNABLE  # it has no call for subscriptions
        await self.hear(
            "resources/updated", lambda: self.tool("touch"), resource_subscriptions=[WATCHED]
        )
        return None


FEATURES = (
    "lists",
    "completion",
    "progress",
    "logs",
    "elicitation",
    "rounds",
    "sampling",
    "roots",
    "cancelling",
    "list_changes",
    "updates",
)


async def attempt(tour: Tour, feature: str) -> str:
    try:
        with anyio.fail_after(2 * PATIENCE):
            return await getattr(tour, feature)() or "yes"
    except Exception as error:  # noqa: BLE001 -- whatever goes wrong is what is told
        inner = error
        while isinstance(inner, BaseExceptionGroup):
            inner = inner.exceptions[0]
        return f"{type(inner).__name__}: {str(inner)[:300]}"


async def visit(kind: str, mode: str, door: tuple[str, str], name: str, url: str) -> dict[str, str]:
    ears = Ears()
    try:
        async with AsyncExitStack() as stack, asyncio.timeout(100):
            client = await stack.enter_async_context(build(kind, mode, url, door, ears))
            tour = Tour(client, ears, name)
            return {feature: await attempt(tour, feature) for feature in FEATURES}
    except Exception as error:  # noqa: BLE001 -- as above
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        return dict.fromkeys(FEATURES, f"no connection: {error}")


async def main(kind: str, mode: str, header: str, value: str, targets: str) -> None:
    seen = {}
    for name, url in json.loads(targets):
        seen[name] = await visit(kind, mode, (header, value), name, url)
    print(json.dumps(seen))


asyncio.run(main(*sys.argv[1:]))
