"""What the first words on a pipe tell about a server."""

import asyncio
import json

import pytest

from torhaus.mcp.versions import LATEST_LEGACY, MODERN
from torhaus.model.outcome import Answer
from torhaus.model.ports import UpstreamError
from torhaus.upstream.faults import FaultError
from torhaus.upstream.opening import StatelessError, Terms, begin, look

SESSION = Terms(LATEST_LEGACY, b'{"roots":{}}', b'{"name":"x"}')
STATELESS = Terms(MODERN, b"{}", b'{"name":"x"}')
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {}}
FOUND = {"supportedVersions": [MODERN], "capabilities": {"tools": {}}}


def result(value):
    return Answer(result=json.dumps(value).encode())


def error(code):
    return Answer(error=json.dumps({"code": code, "message": "no"}).encode())


def begun(terms, **answers):
    asked = []

    async def call(method, params, seconds):
        asked.append((method, json.loads(params or b"{}")))
        answer = answers[method.replace("/", "_")]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return asyncio.run(begin(call, terms)), asked


def test_a_server_with_sessions_is_asked_nothing_else():
    opened, asked = begun(SESSION, initialize=result(HELLO))

    assert opened.version == "2025-06-18"
    assert [method for method, _ in asked] == ["initialize"]


@pytest.mark.parametrize("code", [-32022, -32601, -32602, -32600, -32000])
def test_a_refusal_and_a_discovery_together_mean_that_there_are_none(code):
    with pytest.raises(StatelessError, match="it speaks 2026-07-28 only"):
        begun(SESSION, initialize=error(code), server_discover=result(FOUND))


@pytest.mark.parametrize(
    "answer",
    [error(-32601), result({}), result({"supportedVersions": ["x"]}), FaultError("it stopped")],
)
def test_a_refusal_alone_is_one(answer):
    with pytest.raises(FaultError, match=r"refused to open a session: no$"):
        begun(SESSION, initialize=error(-32601), server_discover=answer)


def test_without_a_session_it_is_asked_what_it_is():
    opened, ((method, params),) = begun(STATELESS, server_discover=result(FOUND))

    assert method == "server/discover"
    assert (opened.version, opened.capabilities) == (MODERN, {"tools": {}})
    assert params["_meta"]["io.modelcontextprotocol/protocolVersion"] == MODERN


@pytest.mark.parametrize("name", ["supportedVersions", "capabilities"])
def test_what_cannot_be_read_is_as_if_it_were_not_there(name):
    found = {"supportedVersions": [MODERN], "capabilities": {"tools": {}}}
    answer = Answer(result=json.dumps({**found, name: 0}).encode().replace(b"0}", b"1e999}"))

    if name == "capabilities":
        assert begun(STATELESS, server_discover=answer)[0].capabilities == {}
    else:
        with pytest.raises(FaultError, match="it does not speak"):
            begun(STATELESS, server_discover=answer)


def test_one_that_does_not_know_the_question_is_told_so():
    with pytest.raises(UpstreamError, match="it does not speak 2026-07-28: no"):
        begun(STATELESS, server_discover=error(-32601))


def test_looking_changes_nothing():
    assert look(SESSION) == ("ping", b"")
    assert look(STATELESS)[0] == "server/discover"
