"""Which answers say which era an upstream speaks, and which say nothing (checklist U1)."""

import asyncio
import json

import pytest

from tests.torhaus.upstream.servers.http_server import error, result
from torhaus.mcp.message import read_incoming
from torhaus.model.ports import UpstreamError
from torhaus.upstream.exchange import Reply
from torhaus.upstream.facts import initialize_text, learn
from torhaus.upstream.http import target
from torhaus.upstream.requests import Requests

REQUESTS = Requests(target("http://a.example/mcp"), ())
P1, P2 = "torhaus-probe-1", "torhaus-probe-2"
SPOKEN = {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {}}


def reply(status, body=b"", **headers):
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    answer = read_incoming(body) if body.startswith(b"{") else None
    return Reply(status, named, answer, body=body)


def learned(discover, initialize, wanted="auto", *, sessions=True):
    """What is learned of a server that answers so; and what it was asked.

    `discover` may be several answers, one after the other.
    """
    asked = []
    discovers = iter(discover if isinstance(discover, list) else [discover] * 2)

    async def send(data, wanted_id):
        asked.append(json.loads(data.partition(b"\r\n\r\n")[2])["method"])
        found = next(discovers) if asked[-1] == "server/discover" else initialize
        if isinstance(found, Exception):
            raise found
        return found

    return asyncio.run(learn(send, REQUESTS, wanted, sessions=sessions)), asked


MODERN = reply(200, result(P1, SPOKEN))
LEGACY = reply(200, result(P2, HELLO), mcp_session_id="s-1")
REFUSED = reply(400, error(None, -32000, "Bad Request: Server not initialized"))


def test_a_server_of_both_eras_says_so():
    facts, asked = learned(MODERN, LEGACY)

    assert (facts.modern, facts.legacy) == (True, True)
    assert json.loads(facts.discover) == SPOKEN
    assert json.loads(facts.initialize) == HELLO
    assert asked == ["server/discover", "initialize"]


def test_a_stateless_server_hears_nothing_of_sessions_until_somebody_has_one():
    facts, asked = learned(MODERN, LEGACY, sessions=False)

    assert (facts.modern, facts.legacy, facts.unasked) == (True, False, True)
    assert asked == ["server/discover"]


def test_a_server_that_refuses_our_version_and_names_it_is_asked_once_more():
    data = {"supported": ["2026-07-28"], "requested": "2026-07-28"}
    refused = {"jsonrpc": "2.0", "id": P1, "error": {"code": -32022, "message": "x", "data": data}}
    no = reply(400, json.dumps(refused).encode())

    facts, asked = learned([no, MODERN], REFUSED, sessions=False)
    stubborn, _ = learned([no, no], LEGACY, sessions=False)

    assert (facts.modern, asked) == (True, ["server/discover"] * 2)
    assert (stubborn.modern, stubborn.legacy) == (False, True)


@pytest.mark.parametrize("status", [400, 404, 405, 406, 415])
@pytest.mark.parametrize("body", [b"", b"<html>", error(None, -32000, "x"), error(1, -32600, "x")])
def test_a_plain_no_to_a_stateless_request_means_sessions(status, body):
    facts, _ = learned(reply(status, body), LEGACY)

    assert (facts.modern, facts.legacy) == (False, True)


@pytest.mark.parametrize(
    "discover",
    [
        reply(200, error(P1, -32601, "Method not found")),
        reply(200, result(P1, {"supportedVersions": ["2027-01-01"]})),
        reply(200, result(P1, {"supportedVersions": "2026-07-28"})),
        reply(200, result(P1, {"tools": []})),
        reply(200, result(P1, ["2026-07-28"])),
        reply(400, error(P1, -32022, "Unsupported protocol version")),
        reply(202),
    ],
)
def test_an_answer_without_our_version_means_sessions_as_well(discover):
    facts, _ = learned(discover, LEGACY)

    assert (facts.modern, facts.legacy) == (False, True)


@pytest.mark.parametrize(
    "discover",
    [
        reply(400, error(P1, -32020, "HeaderMismatch")),
        reply(400, error(P1, -32021, "MissingRequiredClientCapability")),
        reply(404, error(P1, -32601, "Method not found")),
    ],
)
@pytest.mark.parametrize(
    "initialize", [REFUSED, reply(404), reply(405), reply(404, error(1, -32601, "x"))]
)
def test_errors_that_only_a_stateless_server_gives(discover, initialize):
    facts, _ = learned(discover, initialize)

    assert (facts.modern, facts.legacy) == (True, False)
    assert json.loads(facts.discover)["supportedVersions"] == ["2026-07-28"]


@pytest.mark.parametrize("initialize", [REFUSED, reply(200, error(P2, -32601, "x")), reply(202)])
def test_a_stateless_server_may_refuse_sessions_in_any_words(initialize):
    facts, _ = learned(MODERN, initialize)

    assert (facts.modern, facts.legacy) == (True, False)


@pytest.mark.parametrize("discover", [reply(404), reply(405), reply(400, b"no")])
@pytest.mark.parametrize("initialize", [reply(404), reply(405), reply(400, b"no")])
def test_two_plain_refusals_mean_another_transport(discover, initialize):
    facts, _ = learned(discover, initialize)

    assert (facts.modern, facts.legacy) == (False, False)


NO_EVIDENCE = [
    reply(401),
    reply(401, error(None, -32600, "x")),
    reply(403, b"forbidden"),
    reply(402),
    reply(408),
    reply(429),
    reply(500),
    reply(502, b"<html>"),
    reply(503),
    reply(500, error(None, -32603, "x")),
    reply(301, location="http://x"),
    reply(307, location="http://x"),
    UpstreamError("it did not answer within 30 s"),
]


@pytest.mark.parametrize("nothing", NO_EVIDENCE)
def test_trouble_says_nothing_about_the_era(nothing):
    with pytest.raises(UpstreamError):
        learned(nothing, LEGACY)
    with pytest.raises(UpstreamError):
        learned(MODERN, nothing)
    with pytest.raises(UpstreamError):
        learned(REFUSED, nothing)


@pytest.mark.parametrize(
    "initialize",
    [
        reply(200, b"<html>"),
        reply(202),
        reply(200, error(P2, -32603, "no")),
        reply(200, result(P2, [1])),
        reply(200, result(P2, "text")),
    ],
)
def test_a_session_that_does_not_begin_is_an_error(initialize):
    with pytest.raises(UpstreamError):
        learned(REFUSED, initialize)


def test_a_configured_era_is_not_guessed():
    facts, asked = learned(MODERN, LEGACY, "legacy")
    assert (facts.modern, facts.legacy, asked) == (False, True, ["initialize"])

    facts, asked = learned(MODERN, LEGACY, "modern")
    assert (facts.modern, facts.legacy, asked) == (True, False, ["server/discover"])


def test_a_configured_era_that_is_not_spoken_says_so():
    with pytest.raises(UpstreamError, match="does not speak 2026-07-28, but `era: modern`"):
        learned(REFUSED, LEGACY, "modern")


@pytest.mark.parametrize(
    ("said", "version"),
    [("2025-03-26", "2025-03-26"), ("1.0\r\nx: y", "2025-11-25"), (7, "2025-11-25")],
)
def test_the_session_that_asking_opened_is_known_with_its_version(said, version):
    hello = reply(200, result(P2, {**HELLO, "protocolVersion": said}), mcp_session_id="s-9")

    facts, _ = learned(REFUSED, hello)

    assert (facts.probe_session, facts.probe_version) == ("s-9", version)


def test_a_session_is_asked_for_with_what_the_client_said():
    body = json.loads(initialize_text(b"7", b'{"roots":{}}', b'{"name":"me"}', "2025-03-26"))

    assert body["id"] == 7
    assert body["params"] == {
        "protocolVersion": "2025-03-26",
        "capabilities": {"roots": {}},
        "clientInfo": {"name": "me"},
    }


def test_a_client_that_said_nothing_is_us():
    body = json.loads(initialize_text(b"7", b"", b"", "2025-03-26"))

    assert body["params"]["capabilities"] == {}
    assert body["params"]["clientInfo"]["name"] == "torhaus"
