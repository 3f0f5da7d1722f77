"""What people and programs do with a credential: whether it is good for that, now."""

import http.client
from collections.abc import Callable, Iterator
from contextlib import closing
from html import unescape
from typing import Any

from tests.clients.browsing import Browser
from tests.stories.caller import HELLO, PREFIX, Caller, legacy, presented
from tests.stories.idp import Idp
from tests.stories.signing import Program
from tests.stories.town import Town

Use = Callable[[], bool]
"""Whether it is good for anything, now."""


def called(caller: Caller, name: str, **params: Any) -> bool:
    """Whether the server was asked."""
    body, headers = caller.call(name)
    body["params"] |= params
    answer = caller.ask(body, headers)
    assert answer.status in (200, 401), answer.body  # whatever fails is no refusal
    if answer.status != 200:
        return False
    return "result" in answer.message and not answer.message["result"].get("isError")


def opened_old(stream: Caller) -> Caller:
    """The stream of the transport of 2024, which says where to speak."""
    stream.target += "/sse"
    stream.send(stream.request(b"", {"accept": "text/event-stream"}, "GET"))
    assert stream.head()[0] == 200
    return stream


def old_transport(stream: Caller, mouth: Caller) -> Use:
    """One connection to hear, another one to speak."""
    opened_old(stream)
    mouth.target = next(stream.chunks()).decode().partition("data: ")[2].strip()
    chunks = stream.chunks()
    hello = legacy("initialize", {**HELLO, "protocolVersion": "2024-11-05"}, 0)
    call = legacy("tools/call", {"name": "get_note", "arguments": {}})
    assert mouth.ask(hello).status == 202
    assert b'"id":0' in _said(chunks)

    def answered() -> bool:
        status = mouth.ask(call).status
        assert status in (202, 401, 404), status  # 404: its stream has ended
        if status != 202:
            return False
        said = _said(chunks)  # nothing more where the stream has ended
        return b'"result"' in said and b'"isError"' not in said

    return answered


def _said(chunks: Iterator[bytes]) -> bytes:
    return next((each for each in chunks if b"data: " in each), b"")


def parked_call(caller: Caller) -> Use:
    """A call that its server has asked something back for; he brings the answer."""
    body, headers = caller.call("get_asked")
    body["params"]["_meta"][PREFIX + "clientCapabilities"] = {"elicitation": {"form": {}}}
    first = caller.ask(body, headers).message["result"]
    assert first["resultType"] == "input_required", first
    state = first["requestState"]

    def goes_on() -> bool:
        back = {"requestState": state, "inputResponses": {"team": {"action": "accept"}}}
        return called(caller, "get_asked", _meta=body["params"]["_meta"], **back)

    return goes_on


def approval(caller: Caller) -> Use:
    """A call that waits for somebody to agree; he comes back to see."""

    def waits() -> bool:
        answer = caller.tool("create_note")
        assert answer.status in (200, 401), answer.body
        if answer.status != 200:
            return False
        about = answer.message["result"].get("_meta", {}).get("torhaus/approval", {})
        return bool(about.get("state") == "pending")

    return waits


def administration(town: Town, bearer: str) -> Use:
    """He looks at somebody else, which needs a right."""

    def seen() -> bool:
        with closing(http.client.HTTPConnection("127.0.0.1", town.port, timeout=60)) as line:
            headers = {name: value or "" for name, value in presented(bearer).items()}
            line.request("GET", "/api/v1/people/alice@example.com", headers=headers)
            status = line.getresponse().status
            assert status in (200, 401, 404), status  # 404: there is nobody for him to see
            return status == 200

    return seen


def own_page(town: Town, cookie: str) -> Use:
    def shown() -> bool:
        with closing(http.client.HTTPConnection("127.0.0.1", town.port, timeout=60)) as line:
            line.request("GET", "/me", headers={"cookie": f"torhaus={cookie}"})
            answer = line.getresponse()
            where = answer.getheader("location")
            # Whatever fails is no refusal.
            assert (answer.status, where) in ((200, None), (303, "/login?next=%2Fme")), (
                answer.read()
            )
            return answer.status == 200

    return shown


def link_of(caller: Caller) -> str:
    """Where somebody connects his account at a server, as his first call there is told."""
    caller.target = "/mcp/linked"
    told = caller.tool("get_note").message["result"]["_meta"]["torhaus/connect"]
    return str(told["url"])


def connection(link: str, *, cookie: str = "", key: str = "") -> Use:
    """He sets out to connect his account, with a session or a key that he types."""
    browser = Browser()
    if cookie:
        browser.cookies[link.split("/")[2]] = {"torhaus": cookie}

    def sets_out() -> bool:
        page = browser.open(link)
        fields = [each for each in page.forms if "form" in each.fields]
        if not fields:
            return False
        onward = browser.open(link, {"form": unescape(fields[0].fields["form"]), "key": key})
        assert onward.status in (200, 401, 403), onward.words
        return onward.status == 200 and "/auth?" in onward.text

    return sets_out


def refreshing(program: Program, token: str) -> Use:
    last = [token]

    def refreshed() -> bool:
        status, found = program.refresh(last[0])
        assert status == 200 or found["error"] == "invalid_grant", found
        if status == 200:
            last[0] = found["refresh_token"]
        return status == 200

    return refreshed


def asserting(idp: Idp, agent: Program, secret: str, email: str) -> Callable[[], dict[str, Any]]:
    """Each time a new assertion of his provider, for a new token; what the gateway says to it."""

    def said() -> dict[str, Any]:
        jwt = idp.assertion(agent.origin, agent.client_id, email)
        kind = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        status, found = agent.token(grant_type=kind, assertion=jwt, client_secret=secret)
        assert status == 200 or found["error"] == "invalid_grant", found
        return found

    return said
