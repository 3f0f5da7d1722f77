"""One message over HTTP and everything that servers answer to it."""

import json

import pytest

from tests.torhaus.upstream.servers.http_server import (
    LAST,
    STREAM,
    chunk,
    error,
    event,
    note,
    result,
    whole,
)
from tests.torhaus.upstream.webs import told
from torhaus.mcp.message import read_incoming
from torhaus.upstream.whose import is_answer

SSE = "content-type: text/event-stream"
BOM = b"\xef\xbb\xbf"


def stream(*events, last=LAST):
    return STREAM + b"".join(chunk(each) for each in events) + last


# JSON


@pytest.mark.parametrize(
    "body",
    [
        result(1),
        json.dumps(json.loads(result(1)), indent=2).encode(),
        b"\r\n\t " + result(1) + b"\n",
        BOM + result(1),
        BOM + b"\n" + result(1),
    ],
)
@pytest.mark.parametrize("label", ["application/json", "application/json; charset=utf-8", "x/y"])
def test_a_json_answer_is_read_however_it_is_laid_out(body, label):
    reply, _ = told(whole(body, "200 OK", f"content-type: {label}"))

    assert json.loads(bytes(reply.answer.result)) == {"ok": True}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"null",
        b"42",
        b"[]",
        b"[" + result(1) + b"]",
        b"<html>not found</html>",
        b'{"jsonrpc":"2.0","id":1,"result":{"a":}}',
        b'{"jsonrpc":"2.0","id":1,"result":{"a":"\xff\xfe"}}',
        b'{"jsonrpc":"2.0","id":1,"result":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
        note("notifications/message"),
    ],
)
def test_a_body_that_is_no_answer_is_kept_for_the_error(body):
    reply, _ = told(whole(body))

    assert reply.answer is None
    assert reply.body == body


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":"invalid_token","error_description":"expired"}',
        b'{"error":{"message":"Not Found","type":"x","code":null}}',
        b'{"error":{"code":403,"message":"denied","status":"PERMISSION_DENIED"}}',
        b'{"jsonrpc":"2.0","id":1,"error":"text"}',
        b'{"jsonrpc":"2.0","id":1,"error":{"code":"1","message":"m"}}',
        b'{"jsonrpc":"2.0","id":1,"error":null}',
    ],
)
def test_an_object_with_an_error_in_it_is_not_yet_json_rpc(body):
    reply, _ = told(whole(body, "404 Not Found"))

    assert reply.answer is None or reply.answer.error is None


# Ids


@pytest.mark.parametrize(
    ("wanted", "answered"),
    [
        (b"1", b"1"),
        (b"1", b'"1"'),
        (b"1", b"1.0"),
        (b'"1"', b"1"),
        (b'"\xc3\xa9/"', b'"\\u00e9\\/"'),
        (b"36893488147419103232", b"36893488147419103232"),
        (b'"a"', b'"\\u0061"'),
    ],
)
def test_an_id_may_be_spelled_anew(wanted, answered):
    message = read_incoming(b'{"jsonrpc":"2.0","id":%b,"result":{}}' % answered)

    assert is_answer(message, wanted)


@pytest.mark.parametrize(
    ("wanted", "answered"),
    [(b"1", b"2"), (b"1", b"null"), (b"1", b"true"), (b"1", b"[1]"), (b'"a"', b'"A"')],
)
def test_another_id_is_another_request(wanted, answered):
    message = read_incoming(b'{"jsonrpc":"2.0","id":%b,"result":{}}' % answered)

    assert not is_answer(message, wanted)


def test_an_error_without_an_id_is_about_the_only_request_there_is():
    null = read_incoming(error(None, -32700, "Parse error"))
    absent = read_incoming(b'{"jsonrpc":"2.0","error":{"code":-32700,"message":"m"}}')

    assert is_answer(null, b"1")
    assert is_answer(absent, b"1")


def test_an_error_without_an_id_ends_a_stream():
    reply, memo = told(stream(event(error(None, -32603, "oops"))))

    assert b"oops" in bytes(reply.answer.error)
    assert memo.notices == []
