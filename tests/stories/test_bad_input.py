"""What clients and servers send that they should not: each told what is wrong, recorded once."""

import json
from typing import Any

import pytest

from tests.stories.caller import (
    LEGACY,
    Headers,
    modern,
    routing,
)
from tests.stories.town import KEYS, Town

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
    assert town.silent(before)
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
    assert town.silent(before)
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


@pytest.mark.parametrize("target", ["/mcp/nothing", "/mcp/%2e%2e/", "/mcp/../health", "/mcp/old/x"])
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
    assert town.silent(before)
