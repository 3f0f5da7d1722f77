"""A legacy MCP server on standard streams, in plain Python, that can also misbehave.

How to misbehave at the start comes from arguments, during a call from the tool's name. Everything
it receives is kept and can be fetched with the tool `heard`.
"""

import json
import os
import signal
import subprocess
import sys
import time

HEARD = []
MANNERS = sys.argv[1:]


def send(message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def receive():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    message = json.loads(line)
    HEARD.append(message)
    return message


def wait_for_response(request_id):
    """Meanwhile requests are kept for later."""
    later = []
    while True:
        message = receive()
        if message.get("id") == request_id and "method" not in message:
            BACKLOG.extend(later)
            return message
        later.append(message)


BACKLOG = []


def text(value):
    return {"content": [{"type": "text", "text": value}]}


def echo(params):
    return text(json.dumps(params.get("arguments")))


def crash(_):
    sys.stderr.write("the disk is on fire, token " + os.environ.get("TOKEN", "none"))
    sys.stderr.flush()
    os._exit(7)


def hang(_):
    while True:
        receive()


def garbage(_):
    for line in ("not json", "[1, 2]", '"text"', "{}", '{"level": "info", "error": "x"}', ""):
        sys.stdout.write(line + "\n")
    sys.stdout.buffer.flush()
    sys.stdout.flush()
    sys.stdout.buffer.write(b'{"jsonrpc":"2.0","id":1,"result":{"x":"\xff"}}\n')
    sys.stdout.buffer.write(b"[" * 100_000 + b"\n")
    sys.stdout.buffer.flush()
    # Unflushed, so that they and the answer come in one piece.
    for method in ("notifications/message", "notifications/resources/updated", "custom"):
        params = '{"level":1e999,"uri":1e999,"progressToken":1e999}'
        sys.stdout.write(f'{{"jsonrpc":"2.0","method":"{method}","params":{params}}}\n')
    return text("after garbage")


def huge(params):
    return text("x" * params["arguments"]["size"])


def ask(params):
    asked = params.get("arguments", {})
    method = asked.get("method", "elicitation/create")
    send({"id": "q-1", "method": method, "params": {"message": "Your name?"}})
    return text(json.dumps(wait_for_response("q-1").get("result", "refused")))


def progress(params):
    token = params.get("_meta", {}).get("progressToken")
    for step in (1, 2, 3):
        send(
            {
                "method": "notifications/progress",
                "params": {"progressToken": token, "progress": step, "note": "ä"},
            }
        )
    return text(json.dumps(token))


def slow_progress(params):
    token = params["_meta"]["progressToken"]
    for step in range(6):
        time.sleep(0.2)
        send(
            {
                "method": "notifications/progress",
                "params": {"progressToken": token, "progress": step},
            }
        )
    return text("done")


def log(_):
    for level in ("debug", "error"):
        send({"method": "notifications/message", "params": {"level": level, "data": "hello"}})
    return text("logged")


def change(_):
    send({"method": "notifications/tools/list_changed"})
    send({"method": "notifications/resources/updated", "params": {"uri": "file:///a/b"}})
    return text("changed")


def heard(_):
    return text(json.dumps(HEARD))


def pid(_):
    return text(str(os.getpid()))


def flood(params):
    for number in range(params["arguments"]["count"]):
        send(
            {
                "method": "notifications/progress",
                "params": {"progressToken": params["_meta"]["progressToken"], "progress": number},
            }
        )
    return text("flooded")


def ping(_):
    send({"id": 77, "method": "ping"})
    return text(json.dumps(wait_for_response(77).get("result")))


TOOLS = {
    tool.__name__: tool
    for tool in (echo, crash, hang, garbage, huge, ask, progress, slow_progress, log, change)
} | {tool.__name__: tool for tool in (heard, pid, flood, ping)}

CAPABILITIES = {"tools": {"listChanged": True}, "logging": {}, "resources": {"subscribe": True}}


def initialize(params):
    if "refuse" in MANNERS:
        raise ValueError("no session today")
    version = params["protocolVersion"]
    return {
        "protocolVersion": "2024-11-05" if "old" in MANNERS else version,
        "capabilities": CAPABILITIES,
        "serverInfo": {"name": "fixture", "version": "1"},
        "instructions": "be kind",
        "seen": params,
    }


def handle(message):
    method, params = message.get("method"), message.get("params", {})
    if method == "notifications/initialized" and "curious" in MANNERS:
        send({"id": 5, "method": "roots/list"})
    if "id" not in message or method is None:
        return
    try:
        if method == "initialize":
            result = initialize(params)
        elif method == "tools/call":
            result = TOOLS[params["name"]](params)
        elif method in ("logging/setLevel", "resources/subscribe", "resources/unsubscribe"):
            result = {}
        elif method == "tools/list":
            result = {"tools": [{"name": name} for name in TOOLS]}
        else:
            result = {}["unknown"]
    except (LookupError, ValueError) as error:
        code = -32601 if isinstance(error, LookupError) else -32000
        send({"id": message["id"], "error": {"code": code, "message": str(error)}})
    else:
        send({"id": message["id"], "result": result})


def main():
    if "die" in MANNERS:
        sys.stderr.write("no configuration found\n")
        sys.exit(3)
    if "mute" in MANNERS:
        time.sleep(600)
    if "stubborn" in MANNERS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "child" in MANNERS:
        child = subprocess.Popen(["sleep", "600"])
        sys.stderr.write(f"child {child.pid}\n")
    while True:
        if "stubborn" in MANNERS and sys.stdin.closed:
            time.sleep(1)
        try:
            message = BACKLOG.pop(0) if BACKLOG else receive()
        except SystemExit:
            if "stubborn" not in MANNERS:
                raise
            time.sleep(600)
            continue
        handle(message)


if __name__ == "__main__":
    main()
