"""A server that does once what servers can do, on the `mcp` SDK: stdio NOTES | http|sse PORT NOTES.

Each tool does it in the way of the era in which it is called. NOTES: a file that gets a line for
every call that is cancelled.
"""

import json
import sys
from pathlib import Path
from typing import Any

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import (
    Completion,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    EmptyResult,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
)
from pydantic import BaseModel

MODERN = "2026-07-28"
WATCHED = "tour://watched"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"word": {"type": "string"}},
    "required": ["word"],
}
NAMES = ("first", "second", "third")

server = MCPServer("touring", log_level="ERROR")
notes = Path(sys.argv[-1])


class Word(BaseModel):
    word: str


def modern(ctx: Context) -> bool:
    return ctx.protocol_version == MODERN


def form(message: str) -> ElicitRequest:
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=SCHEMA))


def asked(**requests: Any) -> InputRequiredResult:
    return InputRequiredResult(input_requests=requests)


@server.tool()
def echo(text: str) -> str:
    """Say it again."""
    return text


@server.tool()
async def elicit(ctx: Context) -> str | InputRequiredResult:
    """Ask for a word."""
    if not modern(ctx):
        result = await ctx.elicit(message="a word?", schema=Word)
        return str(result.data.word)
    if not ctx.input_responses:
        return asked(word=form("a word?"))
    return str(ctx.input_responses["word"].content["word"])


@server.tool()
async def rounds(ctx: Context) -> str | InputRequiredResult:
    """Ask for a word, three times in one call."""
    words: list[str] = json.loads(ctx.request_state) if ctx.request_state else []
    if not modern(ctx):
        for name in NAMES:
            result = await ctx.elicit(message=f"the {name} word?", schema=Word)
            words.append(str(result.data.word))
        return " ".join(words)
    words += [str(each.content["word"]) for each in (ctx.input_responses or {}).values()]
    if len(words) == len(NAMES):
        return " ".join(words)
    name = NAMES[len(words)]
    return InputRequiredResult(
        input_requests={name: form(f"the {name} word?")}, request_state=json.dumps(words)
    )


@server.tool()
async def sample(ctx: Context) -> str | InputRequiredResult:
    """Have the client's model say something."""
    content = TextContent(type="text", text="the capital?")
    messages = [SamplingMessage(role="user", content=content)]
    if not modern(ctx):
        result = await ctx.session.create_message(messages, max_tokens=9)
        return str(result.content.text)
    if not ctx.input_responses:
        params = CreateMessageRequestParams(messages=messages, max_tokens=9)
        return asked(said=CreateMessageRequest(params=params))
    return str(ctx.input_responses["said"].content.text)


@server.tool()
async def roots(ctx: Context) -> str | InputRequiredResult:
    """Ask where the client is at work."""
    if not modern(ctx):
        result = await ctx.session.list_roots()
        return str(result.roots[0].uri)
    if not ctx.input_responses:
        return asked(roots=ListRootsRequest())
    return str(ctx.input_responses["roots"].roots[0].uri)


@server.tool()
async def steps(ctx: Context) -> str:
    """Report progress three times."""
    for step in (1, 2, 3):
        await ctx.report_progress(step, 3)
        await anyio.sleep(0.1)  # what comes at once with the answer, some clients drop
    return "done"


@server.tool()
async def logs(ctx: Context) -> str:
    """Log a line."""
    await ctx.log("warning", "the bridge creaks")
    return "done"


@server.tool()
async def wait(key: str, ctx: Context) -> str:
    """Begin, say so, and wait until it is cancelled."""
    await ctx.report_progress(1, 2)
    try:
        await anyio.sleep(60)
    except BaseException:
        with notes.open("a") as file:  # noqa: ASYNC230 -- there is no time to wait any more
            file.write(f"{key}\n")
        raise
    return "nobody cancelled it"


@server.tool()
async def grow(name: str, ctx: Context) -> str:
    """Offer one more tool, and announce it."""
    server.add_tool(lambda: name, name=name, description="It was not there before.")
    if modern(ctx):
        await ctx.notify_tools_changed()
    else:
        await ctx.session.send_tool_list_changed()
    return name


@server.tool()
async def touch(ctx: Context) -> str:
    """Change the watched resource, and announce it."""
    if modern(ctx):
        await ctx.notify_resource_updated(WATCHED)
    else:
        await ctx.session.send_resource_updated(WATCHED)
    return "touched"


@server.resource(WATCHED)
def watched() -> str:
    """A resource that changes."""
    return "the bridge"


@server.resource("tour://stops/{name}")
def stop(name: str) -> str:
    """A template."""
    return f"the {name}"


@server.prompt()
def greet(name: str) -> str:
    """Greet somebody."""
    return f"Good morning, {name}."


@server.completion()
async def complete(ref: object, argument: Any, context: object) -> Completion:
    return Completion(values=[f"{argument.value}-gate"])


async def noted(ctx: object, params: object) -> EmptyResult:
    return EmptyResult()


# The SDK has no public way for them yet.
for method, kind in (
    ("resources/subscribe", SubscribeRequestParams),
    ("logging/setLevel", SetLevelRequestParams),
):
    server._lowlevel_server.add_request_handler(method, kind, noted)

match sys.argv[1:]:
    case ["stdio", _]:
        server.run("stdio")
    case ["sse", port, _]:
        server.run("sse", host="127.0.0.1", port=int(port))
    case ["http", port, _]:
        server.run("streamable-http", host="127.0.0.1", port=int(port))
