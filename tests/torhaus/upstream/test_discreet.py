"""Servers that repeat the credential they were shown: nothing of it comes out of a link."""

import json

import pytest

from tests.torhaus.upstream.pages import LOOPS
from tests.torhaus.upstream.pipes import Memo, address, run, said, tool
from tests.torhaus.upstream.servers.http_server import LAST, STREAM, chunk, event, note, saying
from tests.torhaus.upstream.servers.sse_server import sse_server
from tests.torhaus.upstream.webs import BOTH, configured, linked, numbers
from torhaus.model.secret import Secret
from torhaus.model.servers import Server
from torhaus.upstream.discreet import own
from torhaus.upstream.links import Links

TOKEN = "upstream-token/4e909f52d1c38e8b"
MASK = "[redacted:gateway-secret]"
SECRETS = (Secret(TOKEN),)


def asked(text: str) -> bytes:
    params = {"message": text, "requestedSchema": {"type": "object", "properties": {}}}
    question = {"jsonrpc": "2.0", "id": "q", "method": "elicitation/create", "params": params}
    return json.dumps(question).encode()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_result_notices_and_questions_by_url_come_without_it(loop):
    answer = {"jsonrpc": "2.0", "id": 1, "result": {"said": TOKEN}}
    before = [
        note("notifications/message", level="info", data={"seen": [TOKEN]}),
        note("notifications/progress", progressToken=1, progress=1, message=f"as {TOKEN}"),
        asked(f"is {TOKEN} yours?"),
    ]
    told = [chunk(event(each)) for each in (*before, json.dumps(answer).encode())]

    async def story():
        async with linked(saying(STREAM, *told, LAST), BOTH, secrets=SECRETS) as (_, link):
            memo = Memo()
            answer = await link.request(tool("a", id=b"1"), memo)

            assert json.loads(answer.result) == {"said": MASK}
            assert len(memo.notices) == 3
            for each in memo.notices:
                assert TOKEN.encode() not in each.body
                assert MASK.encode() in each.body

    run(story(), loop)


@pytest.mark.parametrize("secrets", [(), SECRETS])
def test_pipes_bring_none_either(secrets):
    """With no secrets, as a check that these servers do repeat it."""
    expected = "it is " + (MASK if secrets else TOKEN)

    async def story():
        links = Links(numbers())
        async with sse_server() as old:
            sse = configured(old.url, name="sse", transport="sse", secrets=secrets)
            stdio = Server(name="stdio", address=address(), secrets=secrets)
            try:
                named = tool(f"it is {TOKEN}")  # it answers with the tool's name
                echo = tool("echo", {"text": f"it is {TOKEN}"})
                told = [
                    said(await links.link(server).request(each, Memo()))
                    for server, each in ((sse, named), (stdio, echo))
                ]
            finally:
                await links.shutdown()
        assert [expected in each for each in told] == [True, True]

    run(story())


def test_a_server_without_credentials_costs_nothing():
    assert own(configured("http://127.0.0.1:9/mcp")) is None
