"""The three tools that stand for all others, where tools are searched for and not listed."""

from typing import Any

import msgspec

from torhaus.mcp.message import Request, encode

SEARCH, DESCRIBE, CALL = "search_tools", "describe_tools", "call_tool"
OURS = frozenset((SEARCH, DESCRIBE, CALL))

MAX_QUERY = 500
MOST, USUAL = 25, 10
"""Tools in one answer of a search."""
MAX_NAMES = 10
"""Tools that are described at once."""
MAX_NAMED = 40
"""Servers that are named in a description."""

_READS = {"readOnlyHint": True, "openWorldHint": False}


class Unclear(Exception):  # noqa: N818 -- an expected end, told to the model
    """The arguments cannot be used. The text says what to do instead."""


class Search(msgspec.Struct, frozen=True):
    """`server`: empty for all."""

    query: str
    limit: int
    server: str


def listed(servers: list[str]) -> bytes:
    """JSON text of the tools. `servers`: those of the caller."""
    return encode([_search(servers), _DESCRIBE, _CALL])


def _search(servers: list[str]) -> dict[str, Any]:
    named = ", ".join(servers[:MAX_NAMED]) + (", …" if len(servers) > MAX_NAMED else "")
    behind = f"Servers: {named}." if servers else "No server is open to you now."
    return {
        "name": SEARCH,
        "title": "Search tools",
        "description": (
            "Find tools by what you want to do. The tools of several servers are available here but"
            " not listed one by one: search first, then use what you found with call_tool."
            " Returns the best matching tools with their names, descriptions and argument names."
            f" {behind}"
        ),
        "inputSchema": {
            "type": "object",
            "properties": {
                "query": {
                    "type": "string",
                    "maxLength": MAX_QUERY,
                    "description": "What the tool should do, in a few words, for example"
                    ' "create a pull request". Names of tools or servers help.',
                },
                "limit": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MOST,
                    "default": USUAL,
                    "description": "How many tools to return at most.",
                },
                "server": {
                    "type": "string",
                    "description": "Search only the tools of this server.",
                },
            },
            "required": ["query"],
            "additionalProperties": False,
        },
        "annotations": {"title": "Search tools", **_READS},
    }


_DESCRIBE = {
    "name": DESCRIBE,
    "title": "Describe tools",
    "description": (
        "Return the full definitions (description, JSON Schema of the arguments) of tools found"
        " with search_tools. Use it before call_tool when the arguments are not obvious."
    ),
    "inputSchema": {
        "type": "object",
        "properties": {
            "names": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "maxItems": MAX_NAMES,
                "description": 'Names as search_tools returns them, such as "github__list_issues".',
            }
        },
        "required": ["names"],
        "additionalProperties": False,
    },
    "annotations": {"title": "Describe tools", **_READS},
}

_CALL = {
    "name": CALL,
    "title": "Call a tool",
    "description": (
        "Call a tool found with search_tools and return its result. The tool's own arguments go"
        " into `arguments`, as its schema (describe_tools) says."
    ),
    "inputSchema": {
        "type": "object",
        "properties": {
            "name": {
                "type": "string",
                "description": "The tool's name as search_tools returns it.",
            },
            "arguments": {
                "type": "object",
                "description": "The arguments of that tool.",
                "additionalProperties": True,
            },
        },
        "required": ["name"],
        "additionalProperties": False,
    },
    "annotations": {"title": "Call a tool"},
}


def inner(request: Request) -> Request:
    """The call that a call of `call_tool` stands for. Raises Unclear."""
    given = _given(request, {"name", "arguments"})
    name = given.get("name")
    if not isinstance(name, str) or not name:
        raise Unclear("`name` must be the name of a tool: search_tools finds it")
    if name in OURS:
        raise Unclear(f"{name} cannot be called through call_tool: call it directly")
    if "arguments" in given and not isinstance(given["arguments"], dict):
        raise Unclear("`arguments` must be a JSON object, not text or a list")
    params = {key: value for key, value in request.params.items() if key != "arguments"}
    params["name"] = name
    if "arguments" in given:
        params["arguments"] = given["arguments"]
    return Request(request.id, request.method, params, encode(params))


def search(request: Request) -> Search:
    """Raises Unclear."""
    given = _given(request, {"query", "limit", "server"})
    query, limit, server = given.get("query"), given.get("limit", USUAL), given.get("server", "")
    if not isinstance(query, str) or not query.strip():
        raise Unclear("`query` must say in words what the tool should do")
    if len(query) > MAX_QUERY:
        raise Unclear(f"`query` is longer than {MAX_QUERY} characters: a few words are enough")
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST:
        raise Unclear(f"`limit` must be a whole number from 1 to {MOST}")
    if not isinstance(server, str):
        raise Unclear("`server` must be the name of a server")
    return Search(query, limit, server)


def described(request: Request) -> list[str]:
    """The names asked for, each once. Raises Unclear."""
    asked = _given(request, {"names"}).get("names")
    if not isinstance(asked, list) or not asked or not all(isinstance(n, str) for n in asked):
        raise Unclear("`names` must be a list of names of tools, as search_tools returns them")
    if len(asked) > MAX_NAMES:
        raise Unclear(f"`names` holds {len(asked)} names: ask for at most {MAX_NAMES} at once")
    return list(dict.fromkeys(asked))


def _given(request: Request, known: set[str]) -> dict[str, Any]:
    given = request.params.get("arguments", {})
    if not isinstance(given, dict):
        raise Unclear("the arguments must be a JSON object")
    strange = next((each for each in given if each not in known), None)
    if strange is not None:
        names = ", ".join(f"`{each}`" for each in sorted(known))
        more = ": the tool's own arguments go into `arguments`" if "arguments" in known else ""
        raise Unclear(f"there is no argument `{strange[:80]}` here, only {names}{more}")
    return given
