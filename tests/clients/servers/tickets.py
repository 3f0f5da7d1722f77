"""A server with GitHub's tool names, on the `mcp` SDK: stdio | sse PORT | http PORT.

It speaks both eras of the protocol and tells, by `get_me`, which headers reached it.
"""

import json
import sys
from hashlib import sha256

from mcp.server.mcpserver import Context, MCPServer

server = MCPServer("tickets")
issues = {1: "Gate stays open at night"}


@server.tool()
def list_issues(owner: str, repo: str) -> str:
    """List the issues of a repository."""
    return json.dumps([{"number": number, "title": title} for number, title in issues.items()])


@server.tool()
def create_issue(owner: str, repo: str, title: str) -> str:
    """Open an issue."""
    issues[len(issues) + 1] = title
    return f"#{len(issues)} {title}"


@server.tool()
def get_me(ctx: Context) -> str:
    """Tell who is asking: the headers that arrived here, and the digest of their credential."""
    headers = dict(ctx.headers or {})
    proof = sha256(headers.get("authorization", "").encode()).hexdigest()
    return json.dumps({**headers, "sha256": proof})


@server.tool()
async def search_issues(query: str, ctx: Context) -> str:
    """Search, and report progress on the way."""
    for step in range(3):
        await ctx.report_progress(step + 1, 3)
    return f"nothing about {query}"


@server.resource("tickets://readme")
def readme() -> str:
    """What this is."""
    return "Tickets of the gatehouse."


@server.prompt()
def triage(number: str) -> str:
    """Ask for a triage."""
    return f"Please triage issue {number}."


match sys.argv[1:]:
    case ["stdio"]:
        server.run("stdio")
    case ["sse", port]:
        server.run("sse", port=int(port))
    case ["http", port]:
        server.run("streamable-http", port=int(port))
    case _:
        sys.exit(__doc__)
