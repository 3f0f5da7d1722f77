"""What clients and servers send that they should not: each told what is wrong, recorded once."""

import json
from typing import Any

import pytest

from tests.stories.caller import (
    HELLO,
    LEGACY,
    MODERN,
    Answer,
    Caller,
    Headers,
    legacy,
    modern,
    routing,
)
from tests.stories.town import KEYS, SECRETS, TOKEN, Town
from tests.stories.upstream import Upstream

CALL = {"name": "get_note", "arguments": {"id": 1}}


def text(message: object) -> bytes:
    return json.dumps(message).encode()


def meta(body: str) -> bytes:
    """A modern tool call with these extra members of `arguments`, as text."""
    good = json.dumps(modern("tools/call", CALL))
    return good.replace('{"id": 1}', "{" + body + "}").encode()


TOOL = routing("tools/call", "get_note")
DEEP = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":' + b"[" * 100_000 + b"]" * 100_000
NOT_JSON: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "JSON"),
    "half an object": (b'{"jsonrpc":"2.0",', "JSON"),
    "two objects": (b"{}{}", "JSON"),
    "a trailing comma": (b'{"jsonrpc":"2.0",}', "JSON"),
    "single quotes": (b"{'jsonrpc':'2.0'}", "JSON"),
    "a comment": (b'{"jsonrpc":"2.0"/**/}', "JSON"),
    "html": (b"<html></html>", "JSON"),
    "NaN": (meta('"a": NaN'), "JSON"),
    "Infinity": (meta('"a": -Infinity'), "JSON"),
    "a number out of range": (meta('"a": 1e999'), "JSON"),
    "a leading zero": (meta('"a": 01'), "JSON"),
    "a control character": (meta('"a": "\x01"'), "JSON"),
    "a bad escape": (meta(r'"a": "\x41"'), "JSON"),
    "a lone surrogate": (meta(r'"a": "\ud800"'), "JSON"),
    "a lone surrogate in a key": (meta(r'"\udc00": 1'), "JSON"),
    "Latin-1": (
        meta('"a": "ä"').replace(b"\\u00e4", b"\xe4").replace("ä".encode(), b"\xe4"),
        "UTF-8",
    ),
    "an overlong form": (meta('"a": "X"').replace(b"X", b"\xc0\xaf"), "UTF-8"),
    "UTF-16": (json.dumps(modern("tools/call", CALL)).encode("utf-16"), ""),
    "a byte order mark": (b"\xef\xbb\xbf" + text(modern("tools/call", CALL)), "JSON"),
    "100,000 levels": (DEEP, "deep"),
    "50,000 objects": (b'{"a":' * 50_000, "deep"),
    "129 levels": (meta('"a": ' + "[" * 129 + "]" * 129), "deep"),
}
NO_CALL: dict[str, tuple[Any, str]] = {
    "a batch": (text([modern("tools/call", CALL)]), "batch"),
    "an empty batch": (b"[]", "batch"),
    "a string": (b'"tools/call"', "object"),
    "null": (b"null", "object"),
    "a number": (b"5", "object"),
    "an empty object": (b"{}", ""),
    "the same key twice": (meta('"a": 1, "a": 2'), "twice"),
    "the same key twice, deep": (meta('"a": {"b": [{"c": 1, "c": 1}]}'), "twice"),
    "the same key twice, escaped": (meta(r'"a": 1, "\u0061": 2'), "twice"),
    "method twice": (
        text(modern("tools/call", CALL)).replace(b'"id"', b'"method":"ping","id"'),
        "twice",
    ),
    "no version of JSON-RPC": ({"id": 1, "method": "tools/call"}, "jsonrpc"),
    "another version": ({**modern("tools/call", CALL), "jsonrpc": "1.0"}, "jsonrpc"),
    "a version that is a number": ({**modern("tools/call", CALL), "jsonrpc": 2.0}, "jsonrpc"),
    "an id of null": ({**modern("tools/call", CALL), "id": None}, "id"),
    "an id of true": ({**modern("tools/call", CALL), "id": True}, "id"),
    "an id of 1.5": ({**modern("tools/call", CALL), "id": 1.5}, "id"),
    "an id of {}": ({**modern("tools/call", CALL), "id": {}}, "id"),
    "an id of []": ({**modern("tools/call", CALL), "id": [1]}, "id"),
    "an endless id": ({**modern("tools/call", CALL), "id": "x" * 10_000}, "id"),
    "params of []": ({**modern("tools/call", CALL), "params": []}, "params"),
    "params of null": ({**modern("tools/call", CALL), "params": None}, "params"),
    "params of text": ({**modern("tools/call", CALL), "params": "x"}, "params"),
    "a method of 5": ({**modern("tools/call", CALL), "method": 5}, "method"),
    "a method of null": ({**modern("tools/call", CALL), "method": None}, "method"),
    "an empty method": ({**modern("tools/call", CALL), "method": ""}, "method"),
    "an endless method": ({**modern("tools/call", CALL), "method": "x" * 10_000}, "method"),
    "a request with a result": ({**modern("tools/call", CALL), "result": {}}, "response"),
    "a response of both kinds": ({"jsonrpc": "2.0", "id": 1, "result": {}, "error": {}}, "either"),
    "a response of neither": ({"jsonrpc": "2.0", "id": 1}, "either"),
    "a response without an id": ({"jsonrpc": "2.0", "result": {}}, "id"),
    "no name": (modern("tools/call", {"arguments": {}}), "name"),
    "a name of null": (modern("tools/call", {"name": None}), "name"),
    "a name of 5": (modern("tools/call", {"name": 5}), "ame"),
    "arguments of []": (modern("tools/call", {**CALL, "arguments": []}), "arguments"),
    "arguments of null": (modern("tools/call", {**CALL, "arguments": None}), "arguments"),
    "arguments of text": (modern("tools/call", {**CALL, "arguments": "{}"}), "arguments"),
    "arguments that differ in case": (meta('"repo": "a", "Repo": "b"'), "twice"),
    "arguments that differ in folded case": (meta('"stra\u00dfe": 1, "STRASSE": 2'), "twice"),
    "arguments that differ in case, deep": (meta('"a": [{"b": {"c": 1, "C": 2}}]'), "twice"),
}
WRONG = {**NOT_JSON, **NO_CALL}


@pytest.mark.parametrize(("body", "word"), WRONG.values(), ids=WRONG)
def test_a_body_that_is_wrong(body: Any, word: str, town: Town) -> None:
    before = town.count()

    with town.caller() as caller:
        answer = caller.ask(body, TOOL)

    assert answer.status == 400
    assert word in answer.error["message"]
    assert answer.error["code"] in (-32700, -32600, -32602, -32020)
    assert town.outcome(before) == [("invalid", "error")]
    assert town.alive()


@pytest.mark.parametrize("id", [0, -1, 2**53, 2**63, 10**30, "", "x", "ä€😀", "x" * 1000])
def test_every_legal_id_comes_back_as_it_was(id: object, town: Town) -> None:
    with town.caller() as caller:
        good = caller.tool("get_note", id=id)
        bad = caller.ask(modern("ping", id=id), routing("ping"))

    for answer in (good, bad):
        assert answer.message["id"] == id
        assert type(answer.message["id"]) is type(id)


@pytest.mark.parametrize("way", ["length", "chunks", "endless chunks", "expect"])
def test_a_huge_body(way: str, town: Town) -> None:
    before = town.count()

    with town.caller() as caller:
        head = caller.request(b"", {"content-length": None, "transfer-encoding": "chunked"})
        big = b" " * 300_000
        if way == "length":
            caller.send(caller.request(big))
        elif way == "expect":
            caller.send(caller.request(big, {"expect": "100-continue"}))
        else:
            caller.send(head + b"%x\r\n%b\r\n" % (len(big), big))
            caller.send(b"0\r\n\r\n" if way == "chunks" else b"ffffff\r\n" + big)
        answer = caller.answer()

    assert answer.status == 413
    assert "server.max_body" in answer.error["message"]
    assert town.new(before) == []
    assert town.alive()


HEADERS: dict[str, tuple[Headers, int, str]] = {
    "another host": ({"host": "evil.example.com"}, 421, "allowed_hosts"),
    "no host": ({"host": None}, 421, "allowed_hosts"),
    "a host that looks like ours": ({"host": "127.0.0.1.evil.example.com"}, 421, "allowed_hosts"),
    "a host with a user": ({"host": "127.0.0.1@evil.example.com"}, 421, "allowed_hosts"),
    "two hosts": ([("host", "evil.example.com")], 421, "two Host"),
    "another origin": ({"origin": "http://evil.example.com"}, 403, "allowed_origins"),
    "an origin of null": ({"origin": "null"}, 403, "allowed_origins"),
    "an origin of nothing": ({"origin": ""}, 403, "allowed_origins"),
    "an origin of a file": ({"origin": "file://"}, 403, "allowed_origins"),
    "two origins": (
        [("origin", "http://127.0.0.1"), ("origin", "http://127.0.0.1")],
        403,
        "two Origin",
    ),
    "no credential": ({"apikey": None}, 401, "credential"),
    "a wrong key": ({"apikey": "guess"}, 401, "not valid"),
    "an empty key": ({"apikey": ""}, 401, "empty"),
    "an empty bearer": ({"apikey": None, "authorization": "Bearer "}, 401, ""),
    "another scheme": ({"apikey": None, "authorization": "Basic YTpi"}, 401, "Bearer"),
    "a key with more behind it": ({"apikey": KEYS["ALICE_KEY"] + " x"}, 401, "not valid"),
    "two keys": ({"x-api-key": KEYS["BOB_KEY"]}, 401, "two different"),
    "two keys in one header": ([("apikey", KEYS["BOB_KEY"])], 401, "twice"),
    "a right and a wrong key": ({"authorization": "Bearer guess"}, 401, "two different"),
    "a key beyond ASCII": ({"apikey": "\xff\xfe"}, 401, "not valid"),
}


@pytest.mark.parametrize(("headers", "status", "word"), HEADERS.values(), ids=HEADERS)
def test_a_stranger_is_told_why_and_leaves_no_record(
    headers: Headers, status: int, word: str, town: Town
) -> None:
    before = town.count()

    with town.caller() as caller:
        more = {**TOOL, **headers} if isinstance(headers, dict) else headers
        answer = caller.ask(modern("tools/call", CALL), more)

    assert answer.status == status
    assert word in answer.error["message"]
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer ")
    assert town.new(before) == []
    assert town.alive()


KNOWN: dict[str, tuple[str, Headers, int, str]] = {
    "PUT": ("PUT", {}, 405, "PUT"),
    "OPTIONS": ("OPTIONS", {}, 405, "OPTIONS"),
    "PATCH": ("PATCH", {}, 405, "PATCH"),
    "GET without a session": ("GET", {}, 405, "session"),
    "DELETE without a session": ("DELETE", {}, 405, "session"),
    "no content type": ("POST", {**TOOL, "content-type": None}, 415, "application/json"),
    "text": ("POST", {**TOOL, "content-type": "text/plain"}, 415, "application/json"),
    "a form": ("POST", {**TOOL, "content-type": "application/x-www-form-urlencoded"}, 415, "json"),
    "nearly JSON": ("POST", {**TOOL, "content-type": "application/jsonp"}, 415, "json"),
    "accepting html": ("POST", {**TOOL, "accept": "text/html"}, 406, "text/event-stream"),
    "another method": ("POST", {**TOOL, "mcp-method": "tools/list"}, 400, "Mcp-Method"),
    "no method": ("POST", {**TOOL, "mcp-method": None}, 400, "Mcp-Method"),
    "another case": ("POST", {**TOOL, "mcp-method": "Tools/Call"}, 400, "Mcp-Method"),
    "another tool": ("POST", {**TOOL, "mcp-name": "delete_note"}, 400, "Mcp-Name"),
    "no tool": ("POST", {**TOOL, "mcp-name": None}, 400, "Mcp-Name"),
    "bad base64": ("POST", {**TOOL, "mcp-name": "=?base64?Z2V0X25vdGV?="}, 400, "Mcp-Name"),
    "another version": ("POST", {**TOOL, "mcp-protocol-version": LEGACY}, 400, "MCP-Protocol"),
    "no version": ("POST", {**TOOL, "mcp-protocol-version": None}, 400, "MCP-Protocol"),
    "two methods": ("POST", {**TOOL, "Mcp-Method": "tools/call"}, 400, "twice"),
    "two names": ("POST", {**TOOL, "Mcp-Name": "delete_note"}, 400, "twice"),
    "two sessions": ("POST", {"mcp-session-id": "a", "Mcp-Session-Id": "b"}, 400, "twice"),
}


@pytest.mark.parametrize(("method", "headers", "status", "word"), KNOWN.values(), ids=KNOWN)
def test_a_known_caller_whose_head_is_wrong(
    method: str, headers: Headers, status: int, word: str, town: Town
) -> None:
    before = town.count()

    with town.caller() as caller:
        body = modern("tools/call", CALL) if method == "POST" else b""
        answer = caller.ask(body, headers, method)

    assert answer.status == status
    assert word in answer.error["message"]
    assert town.outcome(before) == [("invalid", "error")]
    assert town.alive()


@pytest.mark.parametrize(
    "target", ["/mcp", "/mcp/", "/mcp/nothing", "/mcp/%2e%2e/", "/mcp/../health", "/mcp/old/x"]
)
def test_an_unknown_server(target: str, town: Town) -> None:
    before = town.count()

    with town.caller() as caller:
        caller.target = target
        answer = caller.tool("get_note")

    assert answer.status == 404
    assert "scripted" in answer.error["message"]
    assert town.outcome(before) == [("invalid", "error")]
    assert town.alive()


@pytest.mark.parametrize(
    "target", ["/mcpx", "/MCP/scripted", "/Mcp/scripted", "//mcp/scripted", "/mcp%2fscripted", "/x"]
)
def test_a_path_that_is_none_of_ours(target: str, town: Town) -> None:
    before = town.count()

    with town.caller() as caller:
        caller.target = target
        answer = caller.tool("get_note")

    assert answer.status == 404
    assert town.new(before) == []


# -- sessions ---------------------------------------------------------------------------------


def in_session(caller: Caller) -> list[Answer]:
    """Everything one can try with a session id."""
    return [
        caller.ask(legacy("tools/list")),
        caller.ask({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {}}),
        caller.ask({"jsonrpc": "2.0", "id": "x", "result": {}}),
        caller.ask(b"", {"accept": "text/event-stream"}, "GET"),
        caller.ask(b"", method="DELETE"),
    ]


@pytest.mark.parametrize("which", ["somebody else's", "of another server", "ended", "made up"])
def test_a_session_that_is_not_the_callers(which: str, town: Town) -> None:
    with town.caller() as alice, town.caller("CAROL") as carol, town.caller() as other:
        alice.begin()
        if which == "somebody else's":
            caller, carol.session = carol, alice.session
        elif which == "of another server":
            caller, other.target, other.session = other, "/mcp/old", alice.session
        elif which == "ended":
            caller = alice
            assert alice.ask(b"", method="DELETE").status == 200
        else:
            caller, other.session = other, "A" * 300
        before = town.count()

        answers = in_session(caller)

        assert [each.status for each in answers] == [404] * 5
        assert all("initialize" in each.error["message"] for each in answers)
        assert town.outcome(before) == [("invalid", "error")] * 5
    assert town.alive()


def test_an_answer_to_a_question_that_nobody_asked(town: Town) -> None:
    with town.caller() as caller:
        caller.begin()
        before = town.count()

        for id in ("x", "th.x", 5):
            answer = caller.ask({"jsonrpc": "2.0", "id": id, "result": {}})
            assert answer.status == 400
            assert "id" in answer.error["message"]

        assert town.outcome(before) == [("invalid", "error")] * 3


@pytest.mark.parametrize("params", [{}, {"protocolVersion": 5}, {**HELLO, "capabilities": "x"}])
def test_an_initialize_of_the_wrong_shape_is_no_500(params: object, town: Town) -> None:
    with town.caller() as caller:
        answer = caller.ask(legacy("initialize", params))

    assert answer.status in (200, 400)
    assert town.alive()


# -- servers that misbehave -------------------------------------------------------------------

FAILS = {
    "get_html": "",
    "get_json_that_is_html": "",
    "get_nothing": "",
    "get_broken_json": "",
    "get_no_object": "",
    "get_neither": "neither",
    "get_not_utf8": "",
    "get_wrong_id": "another request",
    "get_truncated": "closed",
    "get_500": "500",
    "get_502": "502",
    "get_503": "retry after 7",
    "get_302": "redirect",
    "get_401": "credential",
    "get_403": "credential",
    "get_418": "418",
    "get_202": "",
    "get_204": "",
    "get_gzip": "compressed",
    "get_no_http": "HTTP",
    "get_hang_up": "closed",
    "get_endless_headers": "headers",
    "get_endless_header": "headers",
    "get_endless_trailer": "headers",
    "get_endless_body": "larger",
    "get_endless_event": "larger",
    "get_cut_stream": "",
    "get_empty_stream": "",
    "get_slow": "1 s",
}


@pytest.mark.parametrize("server", ["scripted", "old"])
@pytest.mark.parametrize("era", [MODERN, LEGACY])
@pytest.mark.parametrize("name", FAILS)
def test_a_server_that_answers_garbage(name: str, era: str, server: str, town: Town) -> None:
    with town.caller(server=server) as caller:
        if era == LEGACY:
            caller.begin()
        before = town.count()

        answer = caller.tool(name)

    assert answer.status == 200
    result = answer.message["result"]
    assert result["isError"] is True
    assert f"{server} cannot answer" in answer.text
    assert FAILS[name] in answer.text
    assert town.outcome(before) == [(name, "error")]
    assert town.alive()


@pytest.mark.parametrize("era", [MODERN, LEGACY])
@pytest.mark.parametrize("name", ["get_garbage_events", "get_not_utf8_event"])
def test_a_server_that_says_garbage_before_its_answer(era: str, name: str, town: Town) -> None:
    with town.caller() as caller:
        if era == LEGACY:
            caller.begin()
        before = town.count()

        answer = caller.tool(name)

    assert answer.text == "behind the garbage"
    assert b"\xff" not in answer.body
    assert town.outcome(before) == [(name, "success")]


@pytest.mark.parametrize("era", [MODERN, LEGACY])
def test_a_server_that_is_down(era: str, town: Town) -> None:
    before = town.count()
    with town.caller(server="down") as caller:
        message = modern("tools/call", CALL) if era == MODERN else legacy("initialize", HELLO)
        answer = caller.ask(message, TOOL if era == MODERN else {})

    assert answer.status == 200
    said = answer.text if era == MODERN else answer.error["message"]
    assert "down cannot answer: no connection to 127.0.0.1" in said
    assert [status for _, status in town.outcome(before)] == ["error"]
    assert json.loads(town.get("/ready") or "")["servers"]["down"] == "down"
    assert town.alive()


# -- at the end -------------------------------------------------------------------------------


def test_no_secret_was_written_down_or_sent_on(town: Town, upstream: Upstream) -> None:
    """Runs last in this file: after everything above."""
    written = town.written()

    assert all(secret.encode() not in written for secret in SECRETS)
    assert upstream.seen
    for seen in upstream.seen:
        assert seen.headers["authorization"] == f"Bearer {TOKEN}"
        assert all(key not in json.dumps(seen.headers) for key in KEYS.values())
    for page in ("/health", "/ready", "/status", "/metrics"):
        assert all(secret not in (town.get(page) or "") for secret in SECRETS)
