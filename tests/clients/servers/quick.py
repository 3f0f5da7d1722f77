"""A stdio server that starts at once, for load: sessions, one tool `echo`. Run it with `-I -S`."""

import json
import sys

TOOL = {
    "name": "echo",
    "description": "Say it again.",
    "inputSchema": {"type": "object", "properties": {"message": {"type": "string"}}},
}

for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message or "method" not in message:
        continue
    params = message.get("params", {})
    answer: dict[str, object] = {}
    if message["method"] == "initialize":
        answer = {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "quick", "version": "1"},
        }
    elif message["method"] == "tools/list":
        answer = {"tools": [TOOL]}
    elif message["method"] == "tools/call":
        text = str(params["arguments"]["message"])
        answer = {"content": [{"type": "text", "text": text}]}
    reply = {"jsonrpc": "2.0", "id": message["id"], "result": answer}
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()
