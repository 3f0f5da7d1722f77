"""The bytes of requests: what never changes, what a caller brings, what must never get in."""

import pytest

from torhaus.mcp.versions import LEGACY
from torhaus.model.ports import Ask, UpstreamError
from torhaus.model.secret import Secret
from torhaus.model.servers import Era
from torhaus.upstream.http import target
from torhaus.upstream.requests import REPEATABLE, Requests, fields

WHERE = target("https://a.example:8443/mcp?x=1")


def requests(**headers):
    pairs = tuple((name.replace("_", "-"), Secret(value)) for name, value in headers.items())
    return Requests(WHERE, pairs)


def lines(data):
    head, _, body = data.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    names = [line.split(": ")[0] for line in rest]
    assert len(names) == len(set(names)), names
    return first, dict(line.split(": ", 1) for line in rest), body


def ask(**more):
    known = {"method": "tools/call", "id": b"1", "params": b"{}", "era": Era.MODERN}
    return Ask(**{**known, "principal": "alice", **more})


def test_a_request_in_a_session():
    first, headers, body = lines(requests().legacy(b"{}", "2025-06-18", "abc"))

    assert first == "POST /mcp?x=1 HTTP/1.1"
    assert body == b"{}"
    assert headers == {
        "host": "a.example:8443",
        "user-agent": "torhaus",
        "accept-encoding": "identity",
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": "2025-06-18",
        "mcp-session-id": "abc",
        "content-length": "2",
    }


def test_initialize_names_neither_version_nor_session():
    _, headers, _ = lines(requests().legacy(b"{}", None, None))

    assert not {"mcp-protocol-version", "mcp-session-id"} & set(headers)


@pytest.mark.parametrize("version", LEGACY)
def test_every_known_version_is_named(version):
    assert lines(requests().legacy(b"", version, None))[1]["mcp-protocol-version"] == version


@pytest.mark.parametrize(
    "version", ["", "1", "2024-10-07", "2025-11-25\r\nx-evil: 1", "2026-07-28", "\u00e9"]
)
def test_a_version_that_we_do_not_know_is_not_repeated(version):
    for data in (
        requests().legacy(b"", version, "s"),
        requests().get(version, "s", None),
        requests().delete(version, "s"),
    ):
        _, headers, _ = lines(data)

        assert "mcp-protocol-version" not in headers
        assert "x-evil" not in headers


def test_a_stateless_request_repeats_its_body_in_headers():
    _, headers, body = lines(
        requests().modern(b"{}", ask(name="get_it", headers=(("mcp-param-repo", "a/b"),)))
    )

    assert headers["mcp-protocol-version"] == "2026-07-28"
    assert headers["mcp-method"] == "tools/call"
    assert headers["mcp-name"] == "get_it"
    assert headers["mcp-param-repo"] == "a/b"
    assert body == b"{}"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a b", "a b"),
        (" a", "=?base64?IGE=?="),
        ("", "=?base64??="),
        ("\u00e9", "=?base64?w6k=?="),
        ("a\r\nx-evil: 1", "=?base64?YQ0KeC1ldmlsOiAx?="),
    ],
)
def test_no_name_can_leave_its_header(name, written):
    _, headers, _ = lines(requests().modern(b"{}", ask(name=name, method=name or "m")))

    assert headers["mcp-name"] == written
    assert "x-evil" not in headers


def test_a_callers_header_is_passed_on_byte_for_byte():
    _, headers, _ = lines(requests().modern(b"{}", ask(headers=(("mcp-param-x", "\u00e9"),))))

    assert headers["mcp-param-x"] == "\u00e9"


def test_a_stream_is_asked_for_with_where_it_was():
    first, headers, body = lines(requests().get("2025-11-25", "s", "e-17"))

    assert first == "GET /mcp?x=1 HTTP/1.1"
    assert headers["accept"] == "text/event-stream"
    assert headers["last-event-id"] == "e-17"
    assert body == b""


@pytest.mark.parametrize("event_id", ["a\r\nx-evil: 1", "\u00e9", "\x00", "a\tb"])
def test_an_event_id_that_no_header_can_hold_is_left_out(event_id):
    _, headers, _ = lines(requests().get("2025-11-25", "s", event_id))

    assert "last-event-id" not in headers
    assert "x-evil" not in headers


def test_a_session_is_ended_with_an_empty_request():
    first, headers, _ = lines(requests().delete("2025-11-25", "s"))

    assert first == "DELETE /mcp?x=1 HTTP/1.1"
    assert (headers["mcp-session-id"], headers["content-length"]) == ("s", "0")


def test_the_credential_is_in_every_request_and_in_no_description():
    built = requests(Authorization="Bearer s3cret")

    for data in (
        built.legacy(b"", None, None),
        built.modern(b"", ask()),
        built.get(None, None, None),
        built.delete(None, None),
    ):
        assert lines(data)[1]["authorization"] == "Bearer s3cret"
    assert "s3cret" not in repr(built)


def test_a_configured_user_agent_replaces_ours():
    _, headers, _ = lines(requests(User_Agent="company").legacy(b"", None, None))

    assert headers["user-agent"] == "company"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-a", "s3cret\r\nx-evil: 1"),
        ("x-a", "s3cret\n"),
        ("x-a", "s3cret\x00"),
        ("x-a", "s3cr\u00e9t"),
        ("x-a", "s3cret\u2028"),
        ("x a", "s3cret"),
        ("x:a", "s3cret"),
        ("", "s3cret"),
        ("x\r\ny", "s3cret"),
        ("\u00e9", "s3cret"),
    ],
)
def test_a_header_that_would_break_the_head_is_refused_without_its_value(name, value):
    with pytest.raises(UpstreamError) as caught:
        fields(((name, value),))

    assert "s3cr" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_only_what_changes_nothing_may_be_sent_again():
    changing = {"tools/call", "tasks/cancel", "tasks/update", "vendor/anything"}

    assert not changing & REPEATABLE
    assert {"initialize", "tools/list", "resources/read", "tasks/get"} <= REPEATABLE
