"""An MCP server on standard streams whose tools are its arguments; each says what it was given.

It complains on standard error when it is called `broken` and then ends.
"""

import json
import sys

NAMES = sys.argv[1:]


def called(params):
    text = json.dumps(params.get("arguments"))
    return {"content": [{"type": "text", "text": text}], "isError": params["name"] == "fail"}


def answer(message):
    match message["method"]:
        case "initialize":
            version = message["params"]["protocolVersion"]
            about = {"name": "tiny", "version": "1"}
            return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": about}
        case "tools/list":
            schema = {"type": "object"}
            return {"tools": [{"name": name, "inputSchema": schema} for name in NAMES]}
        case "tools/call":
            return called(message["params"])
        case _:
            return {}


if NAMES == ["broken"]:
    sys.exit("no such database")
for line in sys.stdin:
    message = json.loads(line)
    if "id" in message and "method" in message:
        reply = {"jsonrpc": "2.0", "id": message["id"], "result": answer(message)}
        print(json.dumps(reply), flush=True)
