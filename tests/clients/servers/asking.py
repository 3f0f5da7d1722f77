"""A server that asks its caller three things in one call, on the `mcp` SDK: stdio | http PORT.

`interview` asks with requests, as servers with sessions do; `rounds` with results, as those of
2026-07-28 do.
"""

import json
import sys
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from pydantic import BaseModel

server = MCPServer("asking")
NAMES = ("first", "second", "third")
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"word": {"type": "string"}},
    "required": ["word"],
}


class Word(BaseModel):
    word: str


@server.tool()
async def interview(ctx: Context) -> str:
    """Ask three times, with requests."""
    words = []
    for at, name in enumerate(NAMES):
        result = await ctx.elicit(message=f"the {name} word?", schema=Word)
        await ctx.report_progress(at + 1, 3)
        words.append(result.data.word if result.action == "accept" else result.action)
    return " ".join(words)


@server.tool()
async def rounds(ctx: Context) -> str | InputRequiredResult:
    """Ask three times, with results."""
    words: list[str] = json.loads(ctx.request_state) if ctx.request_state else []
    for answer in (ctx.input_responses or {}).values():
        known = isinstance(answer, ElicitResult) and answer.content
        words.append(str(answer.content["word"]) if known else answer.action)
    if len(words) == len(NAMES):
        return " ".join(words)
    name = NAMES[len(words)]
    params = ElicitRequestFormParams(message=f"the {name} word?", requested_schema=SCHEMA)
    return InputRequiredResult(
        input_requests={name: ElicitRequest(params=params)}, request_state=json.dumps(words)
    )


match sys.argv[1:]:
    case ["stdio"]:
        server.run("stdio")
    case ["http", port]:
        server.run("streamable-http", host="127.0.0.1", port=int(port))
