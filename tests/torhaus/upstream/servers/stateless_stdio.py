"""An MCP server of 2026-07-28 on standard streams, in plain Python. `mute`: it ignores the rest."""

import json
import sys
import time

MODERN = "2026-07-28"
PREFIX = "io.modelcontextprotocol/"
HEARD = []
LISTENS = {}


def send(message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


def text(value):
    return {"content": [{"type": "text", "text": value}], "resultType": "complete"}


def announce(method, params):
    for number in LISTENS:
        meta = {PREFIX + "subscriptionId": number}
        send({"method": method, "params": {**params, "_meta": meta}})


def tool(params):
    meta, said = params["_meta"], params.get("arguments") or {}
    match params["name"]:
        case "heard":
            return text(json.dumps(HEARD))
        case "ask":
            answers = params.get("inputResponses")
            if answers:
                return text(answers["word"]["content"]["word"] + params["requestState"])
            asked = {"message": "a word?", "mode": "form", "requestedSchema": {"type": "object"}}
            question = {"method": "elicitation/create", "params": asked}
            held = {"resultType": "input_required", "inputRequests": {"word": question}}
            return {**held, "requestState": "opaque"}
        case "steps":
            for step in (1, 2):
                told = {"progressToken": meta["progressToken"], "progress": step}
                send({"method": "notifications/progress", "params": told})
            if PREFIX + "logLevel" in meta:
                told = {"level": "warning", "data": "creaks"}
                send({"method": "notifications/message", "params": told})
            return text("done")
        case "grow":
            announce("notifications/tools/list_changed", {})
            announce("notifications/resources/updated", {"uri": "x://1"})
            return text("grown")
        case "hang":
            return None
        case _:
            return text(json.dumps(said))


def answer(method, number, params):
    if method == "server/discover":
        lists = {"listChanged": True}
        return {
            "resultType": "complete",
            "supportedVersions": [MODERN],
            "capabilities": {"tools": lists, "resources": {"subscribe": True, **lists}},
            "_meta": {PREFIX + "serverInfo": {"name": "stateless", "version": "1"}},
        }
    if method == "subscriptions/listen":
        LISTENS[number] = params["notifications"]
        meta = {PREFIX + "subscriptionId": number}
        told = {"notifications": params["notifications"], "_meta": meta}
        send({"method": "notifications/subscriptions/acknowledged", "params": told})
        return None
    return tool(params) if method == "tools/call" else text(method)


def refused(method, params):
    """What a server that keeps no sessions says to one that wants one."""
    if method == "initialize":
        data = {"supported": [MODERN], "requested": params.get("protocolVersion")}
        return {"code": -32022, "message": "there are no sessions here", "data": data}
    if PREFIX + "protocolVersion" not in (params.get("_meta") or {}):
        return {"code": -32602, "message": "no envelope"}
    return None


for line in sys.stdin:
    message = json.loads(line)
    HEARD.append(message)
    method, number = message.get("method"), message.get("id")
    params = message.get("params") or {}
    if number is None:
        LISTENS.pop(params.get("requestId"), None)
        continue
    error = refused(method, params)
    if error is not None:
        while "mute" in sys.argv:
            time.sleep(60)
        send({"id": number, "error": error})
        continue
    result = answer(method, number, params)
    if result is not None:
        send({"id": number, "result": result})
