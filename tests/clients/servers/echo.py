"""A quick server for load: sessions, one tool `echo`, JSON answers. usage: echo.py PORT"""

import itertools
import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

numbers = itertools.count(1)
TOOL = {
    "name": "echo",
    "description": "Say it again.",
    "inputSchema": {"type": "object", "properties": {"message": {"type": "string"}}},
}


async def post(request: Request) -> Response:
    message = await request.json()
    if "id" not in message:
        return Response(status_code=202)
    params = message.get("params", {})
    match message["method"]:
        case "initialize":
            return opened(message["id"], params)
        case "tools/list":
            return result(message["id"], {"tools": [TOOL]})
        case "tools/call":
            text = str(params["arguments"]["message"])
            return result(message["id"], {"content": [{"type": "text", "text": text}]})
        case "ping":
            return result(message["id"], {})
    unknown = {"code": -32601, "message": "Method not found"}
    return JSONResponse({"jsonrpc": "2.0", "id": message["id"], "error": unknown})


def opened(number: Any, params: dict[str, Any]) -> Response:
    answer = result(
        number,
        {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "echo", "version": "1"},
        },
    )
    answer.headers["mcp-session-id"] = f"echo-{next(numbers)}"
    return answer


def result(number: Any, value: dict[str, Any]) -> Response:
    return JSONResponse({"jsonrpc": "2.0", "id": number, "result": value})


async def delete(_: Request) -> Response:
    return Response(status_code=200)


async def get(_: Request) -> Response:
    return Response(status_code=405, headers={"allow": "POST, DELETE"})


routes = [Route("/mcp", each, methods=[each.__name__.upper()]) for each in (post, delete, get)]
uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
