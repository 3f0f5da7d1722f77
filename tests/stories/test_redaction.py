"""A contractor sees nothing sensitive, a developer everything, and the records say so."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stories.caller import Answer, Caller
from tests.stories.town import PEOPLE, Town, server
from tests.stories.upstream import Talk, Upstream, within
from tests.torhaus.redact.samples import AWS, CARD, GITHUB, IBAN, JWT, MAIL, PHONE, SLACK, pem

CUSTOMER = "CUST-" + "123456"
CANARIES = [AWS, CARD, GITHUB, IBAN, JWT, MAIL, PHONE, SLACK, pem(), CUSTOMER]
"""Each is in exactly one place of what the server says."""

PARTS = [canary.split("\n")[-2][-16:] if "\n" in canary else canary for canary in CANARIES]


def leaky(talk: Talk) -> None:
    """Everything that a result can hold, and a word on the way there."""
    resource = {"uri": "note://1", "blob": base64.b64encode(f"key {AWS}".encode()).decode()}
    embedded = {"uri": "note://2", "mimeType": "text/plain", "text": pem()}
    content = [
        {"type": "text", "text": f"token {GITHUB} of {CUSTOMER}"},
        {"type": "text", "text": json.dumps({"iban": IBAN, "n": [int(CARD), 1.50]})},
        {"type": "resource", "resource": resource},
        {"type": "resource", "resource": embedded},
    ]
    structured = {"items": [{"contact": {"mail": MAIL}}, {PHONE: 1}]}
    result = {"content": content, "structuredContent": structured, "_meta": {"x/y": JWT}}
    talk.stream()
    progress = {"progressToken": "p1", "progress": 1, "message": f"asking with {SLACK}"}
    note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": progress}
    talk.event(json.dumps(note))
    talk.event(talk.message({**result, "resultType": "complete"}))
    talk.close()


def failing(talk: Talk) -> None:
    error = {"code": -32000, "message": f"401 for {GITHUB}", "data": {"mail": MAIL}}
    talk.answer(json.dumps({"jsonrpc": "2.0", "id": talk.id, "error": error}))


TRICKS = {"get_leak": leaky, "get_error": failing}


@pytest.fixture(scope="module")
def far() -> Iterator[Upstream]:
    with Upstream(tricks=dict(TRICKS)) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(far: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    roles = {
        **PEOPLE["roles"],
        "contractor": {"permissions": ["*:read"], "restrictions": ["no_sensitive_data"]},
    }
    users = [
        {**user, "role": "contractor" if user["email"].startswith("carol") else user["role"]}
        for user in PEOPLE["users"]
    ]
    config = {
        "roles": roles,
        "users": users,
        "data_classes": {"patterns": {"customer": r"CUST-\d{6}"}},
        "mcpServers": {"scripted": server(far.url, cache={"ttl": 300})},
    }
    with Town(config, tmp_path_factory.mktemp("guarded")) as running:
        yield running


def everything(answer: Answer) -> str:
    """What the caller can read of it, base64 decoded."""
    text = answer.body.decode()
    for resource in _blobs(answer.message):
        text += base64.b64decode(resource).decode()
    return text


def _blobs(message: Any) -> list[str]:
    content = message.get("result", {}).get("content", [])
    found = (part.get("resource", {}).get("blob") for part in content)
    return [each for each in found if each is not None]


def leaks(text: str) -> list[str]:
    return [part for part in PARTS if part in text.replace("\\n", "\n")]


def test_nothing_leaks_to_a_contractor_and_a_developer_sees_everything(
    guarded: Town, far: Upstream
) -> None:
    sent = {"q": f"the token is {GITHUB}", "assignee": MAIL}
    with guarded.caller("CAROL") as carol, guarded.caller("BOB") as bob:
        first = [_tool(each, sent) for each in (carol, bob)]
        again = [_tool(each, sent) for each in (carol, bob)]

    for masked in (first[0], again[0]):
        assert leaks(everything(masked)) == []
        assert json.loads(masked.message["result"]["content"][1]["text"]) == {
            "iban": "[redacted:iban]",
            "n": [0, 1.5],
        }
    assert sorted(leaks(everything(first[1]))) == sorted(PARTS)
    assert leaks(everything(again[1])) == [part for part in PARTS if part != SLACK]
    contractors, developers = far.calls("get_leak")  # the cache had the rest
    assert contractors.message["params"]["arguments"] == {
        "q": "the token is [redacted:github-token]",
        "assignee": MAIL,
    }
    assert developers.message["params"]["arguments"] == sent


def _tool(caller: Caller, arguments: object) -> Answer:
    answer = caller.tool("get_leak", arguments)
    if answer.headers.get("content-type") == "text/event-stream":
        assert b"asking with" in answer.body
    return answer


def test_errors_leak_nothing_in_either_era(guarded: Town) -> None:
    for era in ("session", "stateless"):
        with guarded.caller("CAROL") as carol:
            if era == "session":
                carol.begin()
            error = carol.tool("get_error").error

        assert error == {
            "code": -32000,
            "message": "401 for [redacted:github-token]",
            "data": {"mail": "[redacted:email]"},
        }


def test_a_session_leaks_no_more_than_a_single_call(guarded: Town) -> None:
    with guarded.caller("CAROL") as carol:
        carol.begin()
        answer = carol.tool("get_leak", {"session": "yes"})

    assert leaks(everything(answer)) == []
    assert b"asking with [redacted:slack-token]" in answer.body


def test_what_was_masked_is_recorded_and_counted(guarded: Town) -> None:
    with guarded.caller("CAROL") as carol:
        carol.tool("get_leak", {"q": f"again {GITHUB} for {MAIL}"})
        carol.tool("create_note", {"text": f"{GITHUB}"})

    def recorded() -> list[dict[str, Any]]:
        return [each for each in guarded.records() if "redacted" in each["result"]]

    assert within(60, lambda: recorded()[-1]["operation"] == "create_note")
    done, refused = recorded()[-2:]
    assert done["parameters"] == {"q": "again [redacted:github-token] for [redacted:email]"}
    assert done["result"]["redacted"] == 1 + len(CANARIES)
    assert refused["result"]["status"] == "denied"
    assert refused["parameters"] == {"text": "[redacted:github-token]"}
    carols = [each for each in guarded.records() if each["user"]["email"].startswith("carol")]
    assert leaks(json.dumps(carols)) == []
    page = guarded.get("/metrics") or ""
    for kind in ("github-token", "email", "customer", "private-key", "card"):
        assert f'mcp_gateway_redactions_total{{kind="{kind}",mcp_server="scripted"}}' in page or (
            f'mcp_gateway_redactions_total{{mcp_server="scripted",kind="{kind}"}}' in page
        )


def test_the_gateways_own_log_holds_none_of_it(guarded: Town) -> None:
    assert leaks(guarded.output()) == []
