"""Canaries in every place where secrets turn up; none is found in anything the gateway writes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.gateway import Gateway
from tests.ports import free_port
from tests.stories.caller import Answer, Caller, legacy
from tests.stories.canaries import (
    ENVIRONMENT,
    FOREIGN,
    HOOK,
    LEAKY,
    OWN,
    PIN,
    RELOADED,
    RESULT,
    TRICKS,
    UPSTREAM,
    encoded,
    escaped,
    everywhere,
    found,
)
from tests.stories.consent import fetched
from tests.stories.test_temporary_access import PEOPLE, api
from tests.stories.town import KEYS, Town, server
from tests.stories.upstream import Upstream, within

KEY = KEYS["ALICE_KEY"]


class GuardedTown(Town):
    """One with canaries in its environment."""

    def __init__(self, config: dict[str, Any], home: Path) -> None:
        self.config = {**PEOPLE, **config}
        Gateway.__init__(self, json.dumps(self.config), home, {**KEYS, **ENVIRONMENT})


@pytest.fixture(scope="module")
def far() -> Iterator[Upstream]:
    with Upstream(tricks=dict(TRICKS)) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(far: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedTown]:
    config = {
        "mcpServers": {
            "scripted": server(far.url, headers={"X-Pin-Token": "${PIN}"}),
            "other": server(far.url),
            "down": server(f"http://127.0.0.1:{free_port()}/mcp"),
        },
        "notifications": {
            "webhook": {"url": f"http://127.0.0.1:{free_port()}/{HOOK}", "secret": "${HOOK_SECRET}"}
        },
    }
    with GuardedTown(config, tmp_path_factory.mktemp("guarded")) as running:
        yield running


def calls(caller: Caller) -> list[Answer]:
    """What nobody should send, and servers that repeat what they were shown."""
    values: list[Any] = [
        {"deep": [{"er": [UPSTREAM, {"x": f"a {FOREIGN} b"}]}]},  # nested
        {UPSTREAM: 1, f"a{FOREIGN}": 2},  # in keys
        {"n": int(PIN), "deep": [int(PIN)]},  # as numbers
        {"a": encoded(UPSTREAM), "b": encoded(KEY)},  # in base64
        {"url": f"https://x.example/?t={UPSTREAM}&u={FOREIGN}#{KEY}"},  # in a URL's query
        {"headers": [{"name": "Authorization", "value": "hunter2-abc"}, ["X-Api-Key", KEY]]},
        {"json": json.dumps({"t": UPSTREAM, "n": [FOREIGN]})},
        {"hex": UPSTREAM.encode().hex(), "x": "".join(f"\\x{ord(c):02x}" for c in KEY)},
    ]
    for value in values:
        caller.tool("get_note", value)
    answers = [caller.tool(name, {"of": 1}) for name in LEAKY]
    for name in (f"get_{UPSTREAM}", f"get_{FOREIGN}", KEY):  # in names of tools
        caller.tool(name)
    raw = json.dumps(caller.call("get_note", {"a": "MARK", "b": "MARK2"})[0])
    raw = raw.replace("MARK2", escaped(FOREIGN)).replace("MARK", escaped(UPSTREAM))
    caller.ask(raw.encode(), caller.call("get_note")[1])  # in JSON escapes
    answers.append(caller.ask(b'{"jsonrpc": "2.0", "id": 1, ' + UPSTREAM.encode()))
    return answers


def doors(town: Town) -> list[Answer]:
    """Credentials where none belong, and such as are mistyped."""
    answers = []
    typos = (f"Bearre {KEY}", f"Bearer{KEY}", f"Bearer {KEY}x", f"Basic {encoded(KEY)}", KEY)
    for value in typos:
        with town.caller(None) as caller:
            answers.append(caller.ask(legacy("ping"), {"authorization": value, "x-t": UPSTREAM}))
    with town.caller() as caller:
        caller.target = f"/mcp/scripted?token={UPSTREAM}&key={KEY}"
        caller.tool("get_note")
        caller.target = f"/mcp/{UPSTREAM}"
        answers.append(caller.ask(legacy("ping")))
    return answers


def test_no_canary_is_written_down_or_told(guarded: GuardedTown) -> None:
    told: list[Answer] = []
    with guarded.caller() as modern, guarded.caller() as old:
        told += calls(modern)
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}}
        info = {"name": f"client {UPSTREAM}", "version": FOREIGN}  # in the client's name
        begun = old.ask(legacy("initialize", {**hello, "clientInfo": info}))
        old.session = begun.headers["mcp-session-id"]
        told += calls(old)
    with guarded.caller(server="down") as caller:
        told.append(caller.tool("get_note", {"a": UPSTREAM}))
    told += doors(guarded)
    wish = {"role": "writer", "seconds": 3600, "reason": f"for {UPSTREAM} and {FOREIGN}"}
    acts = [api(guarded, "BOB", "POST", "access-requests", wish)]  # in acts, and the webhook fails
    path = f"access-requests/{acts[0][1]['id']}/approve"
    acts.append(api(guarded, "ALICE", "POST", path, {"comment": f"use {KEY}"}))
    acts.append(api(guarded, "ALICE", "POST", f"approvals/{UPSTREAM}/approve", {}))
    assert within(60, lambda: "webhook" in guarded.output())
    reloaded(guarded)

    texts = [json.dumps(each) for each in acts] + [
        each.body.decode("utf-8", "replace") for each in told
    ]
    places = everywhere(guarded, *texts)

    assert sum(place.startswith("file audit/hot") for place in places) >= 1
    assert places["log"].count("\n") > 3
    assert guarded.count() > 40
    assert [each for place, text in places.items() for each in found(text, place)] == []


def test_no_result_is_ever_kept(guarded: GuardedTown) -> None:
    before = guarded.count()
    with guarded.caller() as modern, guarded.caller(server="other") as old:
        old.begin()
        told = [
            caller.tool(name) for caller in (modern, old) for name in ("get_told", "get_failed")
        ]
        modern.tool("get_wrong")
    assert all(RESULT in each.body.decode() for each in told)
    assert within(60, lambda: guarded.count() == before + 6)

    places = everywhere(guarded)

    assert [place for place, text in places.items() if RESULT in text] == []


def reloaded(town: GuardedTown) -> None:
    """A file with mistakes around secrets, then a good one with another secret."""
    wrong = {
        **town.config,
        "users": [{"email": RELOADED, "role": "admin", "api_keys": [RELOADED]}],
        FOREIGN: 1,
        "mcpServers": {"scripted": server("http://127.0.0.1:1/", headers={"bad name": RELOADED})},
    }
    town.write(wrong)
    town.hang_up()
    assert within(60, lambda: "config.refused" in town.output())
    fetched(f"http://127.0.0.1:{town.port}/status")
    users = [*town.config["users"], {"email": "x@y.co", "role": "admin", "api_keys": [RELOADED]}]
    town.write({**town.config, "users": users})
    town.hang_up()
    assert within(60, lambda: "config.reloaded" in town.output())
    with town.caller() as caller:
        caller.tool("get_note", {"a": RELOADED, "b": UPSTREAM})


def test_the_test_itself_finds_canaries() -> None:
    for secret in OWN:
        assert found(f"x{secret}y", "here")
        assert found(encoded(secret), "here")
        assert found(secret.upper(), "here")
    assert found(FOREIGN, "here") == [f"{FOREIGN} in here"]
    assert found("nothing of it", "here") == []
