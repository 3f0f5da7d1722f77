"""What replies mean that are no answers."""

import pytest

from tests.torhaus.upstream.servers.http_server import error
from torhaus.mcp.message import read_incoming
from torhaus.model.ports import UpstreamError
from torhaus.upstream.exchange import Reply
from torhaus.upstream.replies import (
    code_of,
    is_dead,
    object_of,
    session_of,
    speaks_legacy,
    streamed,
    unexpected,
)


def said(status, body=b"", **headers):
    """A reply; its answer is read where the body is JSON-RPC."""
    named = {
        name.replace("_", "-").encode(): value.encode("latin-1") for name, value in headers.items()
    }
    answer = read_incoming(body) if body.startswith(b"{") else None
    return Reply(status, named, answer, body=body)


# Dead sessions


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b""),
        (404, b"Not Found"),
        (404, error(None, -32001, "Session not found")),
        (404, error("server-error", -32600, "Session has been terminated")),
        (400, error(None, -32000, "Bad Request: No valid session ID provided")),
        (400, error(None, -32000, "Bad Request: Server not initialized")),
        (400, b"Bad Request: No valid session ID provided"),
        (400, error("server-error", -32600, "Bad Request: Missing session ID")),
        (400, b"Invalid session ID"),
        (400, b"session expired"),
        (401, b"Unauthorized: Session not found"),
    ],
)
def test_the_wordings_of_a_lost_session(status, body):
    assert is_dead(said(status, body))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, error(1, -32001, "Session not found")),
        (400, error(1, -32602, "Invalid params: unknown session")),
        (404, error(1, -32601, "Method not found")),
        (400, error(1, -32600, "Unsupported protocol version")),
        (400, error(1, -32000, "the session of the parliament was long")),
        (400, b"Bad Request"),
        (401, b"Unauthorized"),
        (401, error(1, -32000, "token expired")),
        (403, b"Session not found"),
        (405, b""),
        (500, b"Session not found"),
        (503, b"no valid session"),
    ],
)
def test_other_refusals_are_not_about_the_session(status, body):
    assert not is_dead(said(status, body))


# Session ids


@pytest.mark.parametrize("value", ["abc", "a-b.c_d~", "!" * 200, "has space"])
def test_a_session_id_is_kept_as_it_is(value):
    assert session_of(said(200, mcp_session_id=value)) == value


@pytest.mark.parametrize("value", ["", "\u00e9", "a\tb", "a\x7fb"])
def test_a_session_id_that_cannot_be_sent_back_is_an_error(value):
    with pytest.raises(UpstreamError, match="session id is not visible ASCII"):
        session_of(said(200, mcp_session_id=value))


def test_a_server_without_sessions_has_no_id():
    assert session_of(said(200)) is None


# Parts


@pytest.mark.parametrize("raw", [None, b"", b"[]", b"1", b"null", b"{", b"[" * 200_000])
def test_what_is_no_object_is_none(raw):
    assert object_of(raw) is None


def test_an_object_is_decoded():
    assert object_of(b'{"a":[1]}') == {"a": [1]}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (error(1, -32001, "m"), -32001),
        (b'{"error":{"code":"x"}}', None),
        (b'{"error":[]}', None),
        (b'{"result":{}}', None),
    ],
)
def test_the_code_of_an_error(body, code):
    assert code_of(read_incoming(body)) == code


def test_the_errors_that_only_session_servers_give():
    assert speaks_legacy(read_incoming(error(1, -32000, "Server not initialized")))
    assert not speaks_legacy(read_incoming(error(1, -32602, "Unknown tool")))


def test_a_stream_is_known_by_its_label():
    assert streamed(said(200, content_type="Text/Event-Stream; charset=utf-8"))
    assert not streamed(said(200, content_type="application/json"))


# Sentences


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (said(401), "it refused the gateway's credential (HTTP 401)"),
        (said(403), "it refused the gateway's credential (HTTP 403)"),
        (
            said(307, location="http://x"),
            "it answered with a redirect (HTTP 307): correct its `url`",
        ),
        (said(429), "it is overloaded (HTTP 429)"),
        (said(503, retry_after="7"), "it is overloaded (HTTP 503, retry after 7 s)"),
        (said(503, retry_after="Mon, 1 Jan"), "it is overloaded (HTTP 503)"),
        (said(503, retry_after="\u00b2"), "it is overloaded (HTTP 503)"),
        (said(500), "it answered HTTP 500"),
        (said(404), "it answered HTTP 404"),
        (said(200), "it did not answer with an MCP message (HTTP 200)"),
        (Reply(200, {}, last_event="7"), "it ended the stream before it answered"),
    ],
)
def test_every_refusal_has_a_sentence(reply, sentence):
    assert str(unexpected(reply)) == sentence
