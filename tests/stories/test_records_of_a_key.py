"""After a leak: everything that was done with one credential, whichever way it came in."""

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from tests.clients.accounts import give_password
from tests.stories.caller import Caller, legacy, modern, routing
from tests.stories.ending import Desk
from tests.stories.signing import PASSWORD, WHO, Program
from tests.stories.town import KEYS, Town, server
from tests.stories.upstream import Upstream
from tests.torhaus.cli.terminal import torhaus

SECOND = "bobs-second-key-5fa0b1c2d3e4f506"
ROBOT = "robot@example.com"


@pytest.fixture(scope="module")
def own(
    upstream: Upstream, old_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    config = {
        "users": [
            {"email": "alice@example.com", "role": "admin", "api_keys": ["${ALICE_KEY}"]},
            {"email": WHO, "role": "reader", "api_keys": ["${BOB_KEY}", SECOND]},
        ],
        "mcpServers": {
            "scripted": server(upstream.url),
            "old": server(old_upstream.url, era="legacy"),
            "kept": server(upstream.url, cache={"ttl": "10m"}),
        },
        "auth": {"server": {"dcr": {"rate": 1000}}},
    }
    town = Town(config, tmp_path_factory.mktemp("leak"))
    give_password(town.data, WHO, PASSWORD)
    with town as running:
        yield running


def named(town: Town, since: int, operation: str = "") -> list[str | None]:
    """What records say of the credential since there were so many of them."""
    found = town.new(since)
    return [each.get("credential") for each in found if operation in ("", each["operation"])]


def called(town: Town, key: str, target: str = "scripted", tool: str = "get_note") -> str | None:
    before = town.count()
    with Caller(town.port, key, target) as caller:
        assert caller.tool(tool).status == 200
    (found,) = named(town, before)
    return found


def test_a_key_of_the_file_is_told_by_its_place_there(own: Town) -> None:
    assert called(own, KEYS["BOB_KEY"]) == "file-key:1"
    assert called(own, SECOND) == "file-key:2"
    for key in (KEYS["BOB_KEY"], SECOND):
        told = json.dumps([each for each in own.records() if each["user"]["email"] == WHO])
        assert sha256(key.encode()).hexdigest()[:6] not in told


def test_a_key_of_the_database_has_the_id_that_lists_show(own: Town) -> None:
    desk = Desk(own)
    made = desk.key(WHO)
    responsible = {"kind": "service", "roles": ["reader"], "responsible": WHO}
    desk.do("POST", "people", {"email": ROBOT, **responsible})
    robots = desk.key(ROBOT)

    told = called(own, made["key"]), called(own, robots["key"])

    listed = [
        each["id"] for whose in (WHO, ROBOT) for each in desk.do("GET", f"keys?person={whose}")
    ]
    assert told == (f"key:{made['id']}", f"key:{robots['id']}")
    assert {made["id"], robots["id"]} <= set(listed)


def test_a_program_goes_by_what_it_was_let_in_for_and_a_browser_by_its_session(own: Town) -> None:
    before = own.count()
    program = Program(own.port)
    tokens = program.sign_in("scripted")
    first = called(own, tokens["access_token"])
    fresh = program.refresh(tokens["refresh_token"])[1]

    assert called(own, fresh["access_token"]) == first  # it is the same consent

    form = next(
        each
        for each in program.browser.open(f"{program.origin}/me").forms
        if each.action == "/me/keys"
    )
    program.browser.open(f"{program.origin}/me/keys", {**form.fields, "label": "mine"})
    listed = Desk(own).do("GET", f"sessions?person={WHO}")
    ids = {each["kind"]: each["id"] for each in listed}
    assert first == f"token:{ids['consent']}"
    found = {each["operation"]: each.get("credential") for each in own.new(before)}
    assert found["signin.succeeded"] is None  # what he comes with begins there
    assert found["consent.given"] == found["key.made"] == f"session:{ids['session']}"


def test_acts_say_which_key_they_were_done_with(own: Town) -> None:
    desk = Desk(own)
    made = desk.key("alice@example.com")
    before = own.count()

    desk.do("GET", "audit?limit=1")
    desk.do("GET", "audit?limit=1", key=made["key"])

    assert named(own, before) == ["file-key:1", f"key:{made['id']}"]


def test_refused_calls_and_broken_messages_say_so_too_and_strangers_have_none(own: Town) -> None:
    before = own.count()
    with Caller(own.port, SECOND) as bob:
        bob.tool("create_note")
        bob.ask(b"{broken")
        bob.target = "/mcp/nowhere"
        bob.ask(legacy("ping"))
    with Caller(own.port, "nobodys-key-000000000000") as stranger:
        assert stranger.tool("get_note").status == 401

    told = [(each["operation"], each.get("credential")) for each in own.new(before)]
    assert told == [
        ("create_note", "file-key:2"),
        ("invalid", "file-key:2"),
        ("invalid", "file-key:2"),
    ]
    assert [each for each in own.house() if "credential" in each] == []


def test_two_keys_of_one_person_are_told_apart_when_the_cache_answers(own: Town) -> None:
    before = own.count()
    with Caller(own.port, KEYS["BOB_KEY"], "kept") as one, Caller(own.port, SECOND, "kept") as two:
        for _ in range(4):
            for each in (one, two):
                assert each.tool("get_note").status == 200

    found = own.new(before)
    assert [each.get("credential") for each in found] == ["file-key:1", "file-key:2"] * 4
    assert sum(each["result"]["cached"] for each in found) >= 6


def test_sessions_messages_and_many_servers_at_once(own: Town) -> None:
    before = own.count()
    with Caller(own.port, KEYS["ALICE_KEY"], "old") as alice:
        alice.begin()
        alice.tool("get_note")
        alice.ask({"jsonrpc": "2.0", "method": "notifications/strange"})
        alice.target, alice.session = "/mcp", None
        alice.tool("scripted__get_note")
        alice.ask(modern("tools/list"), routing("tools/list"))
        alice.begin()

    found = own.new(before)
    assert {"old", "scripted"} < {each["mcp_server"] for each in found}
    assert [each["operation"] for each in found].count("initialize") >= 2
    assert "notifications/strange" in {each["operation"] for each in found}
    assert {each.get("credential") for each in found} == {"file-key:1"}


def test_everything_that_was_done_with_one_key_is_found(own: Town) -> None:
    desk = Desk(own)
    made = desk.key(WHO)
    name = f"key:{made['id']}"
    called(own, made["key"])
    called(own, KEYS["BOB_KEY"])

    page = desk.do("GET", f"audit?credential={name}")
    sql = f"SELECT count(*) AS n FROM audit_logs WHERE credential = '{name}'"
    counted = desk.do("POST", "audit", {"sql": sql})["rows"]
    before = own.records()[-2:]
    asked = desk.do("POST", "audit", {"saved": "credentials"})["rows"]

    assert [each["credential"] for each in page["records"]] == [name]
    assert counted == [{"n": 1}]
    assert {each["credential"]: each["records"] for each in asked}[name] == 1
    told = [each["parameters"] for each in before]
    assert told[0]["filters"] == {"with": name}  # whoever looks is told of as well
    assert told[1]["sql"] == sql
    for words in (["tail", "--json"], ["export"]):
        said = torhaus("audit", *words, "--credential", name, at=own.home)
        lines: list[dict[str, Any]] = [json.loads(each) for each in said.out.splitlines()]
        assert [each["credential"] for each in lines] == [name], said.err
