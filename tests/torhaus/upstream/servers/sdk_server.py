"""A server on the `mcp` SDK over streamable HTTP: sdk_server.py PORT [stateless] [json].

Stateful, it counts calls per session.
"""

import sys

import uvicorn
from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("sdk")
seen: dict[str, int] = {}


@server.tool()
def say(text: str) -> str:
    """Say it again."""
    return text


@server.tool()
async def slowly(ctx: Context) -> str:
    """Report progress on the way."""
    for step in range(3):
        await ctx.report_progress(step + 1, 3)
    return "done"


@server.tool()
def count(ctx: Context) -> str:
    """How often this session has asked."""
    session = (ctx.headers or {}).get("mcp-session-id", "none")
    seen[session] = seen.get(session, 0) + 1
    return str(seen[session])


app = server.streamable_http_app(
    stateless_http="stateless" in sys.argv, json_response="json" in sys.argv
)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
