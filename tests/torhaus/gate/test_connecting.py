"""What a caller reads who has no account at a server yet, and how his call comes back."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import ALICE, BOB, World, github, keeping, run, sealer, settled
from torhaus.gate.calls import Asking
from torhaus.gate.connecting import KEY, PREFIX, Connect, nowhere
from torhaus.gate.sessions import Hello
from torhaus.mcp import codes
from torhaus.mcp.message import CallerError, Request, encode
from torhaus.mcp.versions import CAPABILITIES_KEY
from torhaus.model.outcome import Answer, Answered
from torhaus.model.ports import Ask, NotConnected, Sink

LINK = "https://gw.example.org/connect/github?t=x"
LINKS = {"elicitation": {"url": {}}}
MISSING = NotConnected("your account there is not connected")
WORLD = World()


def connect(link: str | None = LINK) -> Connect:
    return Connect(link=lambda *_: link, sealer=sealer(), clock=WORLD.clock)


def modern(capabilities: object = LINKS, **params: Any) -> Asking:
    more = {"_meta": {CAPABILITIES_KEY: capabilities}, **params}
    asking = WORLD.tool("list_issues", {"repo": "o/r"})
    request = asking.request
    full = {**request.params, **more}
    again = Request(request.id, request.method, full, encode(full))
    return msgspec.structs.replace(asking, request=again)


def legacy(capabilities: bytes, version: str = "2025-11-25") -> Asking:
    hello = Hello(version=version, capabilities=capabilities, client_info=b"{}")
    return WORLD.tool("list_issues", {"repo": "o/r"}, session=WORLD.session(hello=hello))


def told(
    asking: Asking,
    at: Connect | None = None,
    *,
    again: bool = False,
    missing: NotConnected = MISSING,
) -> Any:
    answer = (at or connect()).told(asking, missing, again=again)
    return json.loads(answer.result or answer.error or b"")


def test_a_stateless_client_that_shows_links_is_asked_to_open_one() -> None:
    found = told(modern())

    assert found["resultType"] == "input_required"
    ask = found["inputRequests"][KEY]
    assert ask["method"] == "elicitation/create"
    assert (ask["params"]["mode"], ask["params"]["url"]) == ("url", LINK)
    assert found["requestState"].startswith(PREFIX)


def test_a_client_with_a_session_gets_the_error_that_is_made_for_this() -> None:
    found = told(legacy(b'{"elicitation":{"url":{}}}'))

    assert found["code"] == codes.LINKS_REQUIRED
    (shown,) = found["data"]["elicitations"]
    assert (shown["mode"], shown["url"]) == ("url", LINK)


@pytest.mark.parametrize(
    "asking",
    [
        modern({}),
        legacy(b"{}"),
        legacy(b'{"elicitation":{}}'),
        legacy(b'{"elicitation":{"url":{}}}', "2025-06-18"),
    ],
)
def test_everybody_else_reads_a_sentence_with_the_link(asking: Asking) -> None:
    found = told(asking)

    text = found["content"][0]["text"]
    assert found["isError"]
    assert "your account there is not connected" in text
    assert LINK in text
    assert found["_meta"]["torhaus/connect"] == {"url": LINK}


def test_who_cannot_connect_it_himself_gets_no_link() -> None:
    found = told(modern(), connect(None))

    assert "https://" not in found["content"][0]["text"]
    assert found["_meta"]["torhaus/connect"] == {}
    assert nowhere(ALICE, "github", MISSING) is None


def test_who_has_to_sign_in_reads_that_and_who_cannot_do_anything_reads_why() -> None:
    sign_in = NotConnected("you have not signed in with Acme", provider="acme")
    text = told(modern({}), missing=sign_in)["content"][0]["text"]
    assert text.endswith(f"signed in with Acme. Open {LINK} to sign in, then call again.")

    barred = NotConnected("Acme does not let you in there: ask an administrator", barred=True)
    found = told(modern(), connect(None), missing=barred)
    assert found["isError"]
    assert found["content"][0]["text"].endswith("does not let you in there: ask an administrator.")


def test_lists_end_with_an_error_that_has_the_link() -> None:
    asking = modern({})
    request = Request(asking.request.id, "tools/list", {}, b"{}")
    found = told(msgspec.structs.replace(asking, request=request))

    assert (found["code"], found["data"]) == (codes.NOT_CONNECTED, {"url": LINK})


def test_the_call_comes_back_as_it_was_and_is_not_asked_for_ever() -> None:
    first = modern()
    found = told(first)
    answers = {KEY: {"action": "accept"}}
    again = modern(requestState=found["requestState"], inputResponses=answers)

    back = connect().returned(again)

    assert back.request.params == first.request.params
    assert back is not again
    assert told(back, again=True)["isError"]


def test_a_state_of_another_caller_or_call_is_refused() -> None:
    state = told(modern())["requestState"]
    other = modern(requestState=state, name="create_issue")
    his = msgspec.structs.replace(modern(requestState=state), caller=BOB)

    for asking in (other, his, modern(requestState=PREFIX + "x")):
        with pytest.raises(CallerError, match="requestState is not valid"):
            connect().returned(asking)


@pytest.mark.parametrize("state", [None, 5, "approval.x", "a server's own"])
def test_other_states_are_none_of_ours(state: object) -> None:
    asking = modern() if state is None else modern(requestState=state)

    assert connect().returned(asking) is asking


def test_the_gate_answers_with_the_link_and_records_the_call() -> None:
    async def story() -> None:
        world = World()
        world.knows_the_tools()
        world.gate.connect.link = lambda *_: LINK
        world.upstream.fails(MISSING)
        outcome = await world.admit(world.tool("list_issues", {"owner": "o", "repo": "r"}))

        assert LINK in str(outcome)
        assert world.ledger.durable[-1].result.status == "error"

    run(story())


async def nobody(_ask: Ask, _sink: Sink) -> Answer:
    raise MISSING


def named(outcome: object) -> list[str]:
    assert isinstance(outcome, Answered)
    found = json.loads(outcome.answer.result or b"")
    return [tool["name"] for tool in found["tools"]]


def test_who_is_not_connected_still_sees_the_tools_that_are_known() -> None:
    """A client whose list fails drops the server, and never gets as far as to read a link."""

    async def story() -> None:
        world = World()
        world.knows_the_tools()
        world.gate.connect.link = lambda *_: LINK
        world.upstream.script = nobody
        outcome = await world.admit(world.asking("tools/list"))

        assert "list_issues" in named(outcome)
        assert "delete_repo" not in named(outcome)  # which he may not call
        assert world.ledger.durable[-1].result.status == "success"

    run(story())


def test_a_further_page_and_a_server_nobody_knows_end_with_the_link() -> None:
    async def story() -> None:
        world = World()
        world.gate.connect.link = lambda *_: LINK
        world.upstream.script = nobody
        assert LINK in str(await world.admit(world.asking("tools/list")))

        world.knows_the_tools()
        assert LINK in str(await world.admit(world.asking("tools/list", {"cursor": "2"})))

    run(story())


def test_equal_calls_at_once_all_get_the_link() -> None:
    """They share one flight, whose failure is each caller's own."""

    async def story() -> None:
        world = World(github(caching=keeping(60.0)))
        world.knows_the_tools()
        world.gate.connect.link = lambda *_: LINK
        landed = asyncio.Event()

        async def later(_ask: Ask, _sink: Sink) -> Answer:
            await landed.wait()
            raise MISSING

        world.upstream.script = later
        calls = [
            world.begin(world.tool("list_issues", {"owner": "o", "repo": "r"}, id=number))
            for number in range(3)
        ]
        await settled()
        landed.set()

        for outcome in await asyncio.gather(*calls):
            assert LINK in str(outcome)

    run(story())
