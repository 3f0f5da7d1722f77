"""What is explained of people of the database and of keys is what the gate does."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.stories.caller import Caller
from tests.stories.ending import ERIN, Desk
from tests.stories.town import KEYS, PEOPLE, Town, server
from tests.stories.upstream import Upstream
from tests.torhaus.cli.terminal import Said, torhaus

BOB = "bob@example.com"
Made = dict[str, Any]


@pytest.fixture
def own(upstream: Upstream, home: Path) -> Iterator[Town]:
    roles = {**PEOPLE["roles"], "writer": {"permissions": ["scripted:write"]}}
    config = {"mcpServers": {"scripted": server(upstream.url)}, "roles": roles}
    with Town(config, home) as running:
        yield running


def offline(own: Town, email: str, tool: str, *more: str) -> Said:
    words = ("explain", email, "scripted", tool, "--json", "-c", str(own.file))
    env = {**KEYS, "UPSTREAM_TOKEN": "x"}
    return torhaus(*words, "--data-dir", str(own.data), *more, at=own.home, env=env)


def asked(own: Town, email: str, tool: str, *more: str, key: str = KEYS["ALICE_KEY"]) -> Said:
    url = f"http://127.0.0.1:{own.port}"
    words = ("explain", email, "scripted", tool, "--json", "--url", url, *more)
    return torhaus(*words, at=own.home, env={"TORHAUS_KEY": key})


def both(own: Town, email: str, tool: str, *more: str) -> dict[str, Any]:
    """The same from the files and from the gateway, but for the file's name."""
    files, running = offline(own, email, tool, *more), asked(own, email, tool, *more)
    found, other = files.json(), running.json()
    assert files.code == running.code
    for each in ("verdict", "policy_applied", "code", "reason", "trace"):
        assert found[each] == other[each], each
    assert Path(found["place"].partition(":")[0]).name == other["place"].partition(":")[0]
    return dict(found)


def done(own: Town, key: str, tool: str) -> str:
    """What the gate does: `allow`, or `deny` also where nobody is let in."""
    with Caller(own.port, key) as caller:
        answer = caller.tool(tool, {"title": "x"})
    if answer.status != 200 or answer.message["result"].get("isError"):
        return "deny"
    return "allow"


def test_a_person_of_the_database_has_what_his_roles_and_teams_give(own: Town) -> None:
    desk = Desk(own)
    desk.hire()
    made = desk.key()
    assert both(own, ERIN, "get_note")["verdict"] == done(own, made["key"], "get_note") == "allow"
    refused = both(own, ERIN, "create_note")
    assert (refused["verdict"], refused["code"]) == ("deny", "no_grant")
    assert done(own, made["key"], "create_note") == "deny"

    desk.do("POST", "teams", {"name": "backend", "roles": ["writer"], "members": [ERIN]})

    found = both(own, ERIN, "create_note", "--args", '{"title":"x"}')
    assert found["verdict"] == done(own, made["key"], "create_note") == "allow"
    assert found["policy_applied"] == "writer: scripted:write"
    assert found["place"] == f"{own.file}:1; the role writer: database, team backend"
    (person,) = (each for each in found["trace"] if each["step"] == "person")
    assert "reader (database)" in person["detail"]
    assert "writer (database, team backend)" in person["detail"]


def test_a_key_is_held_to_its_scopes_its_address_and_its_time(own: Town) -> None:
    desk = Desk(own)
    desk.hire(role="admin")
    narrow = desk.key(scopes=["scripted:read"])
    for tool, verdict in (("get_note", "allow"), ("create_note", "deny")):
        found = both(own, ERIN, tool, "--key", narrow["id"])
        assert found["verdict"] == done(own, narrow["key"], tool) == verdict
    assert (found["policy_applied"], found["code"]) == ("scopes", "outside_scopes")
    assert found["place"] == f"database, key {narrow['id']}"
    assert both(own, ERIN, "create_note")["verdict"] == "allow"

    soon = datetime.fromtimestamp(time.time() + 3600, UTC).isoformat()
    brief = desk.key(expires=soon)
    later = datetime.fromtimestamp(time.time() + 7200, UTC).isoformat()
    assert both(own, ERIN, "get_note", "--key", brief["id"])["verdict"] == "allow"
    over = both(own, ERIN, "get_note", "--key", brief["id"], "--at", later)
    assert (over["verdict"], over["code"]) == ("deny", "key_unfit")

    desk.do("DELETE", f"keys/{narrow['id']}")
    ended = both(own, ERIN, "get_note", "--key", narrow["id"])
    assert (ended["verdict"], ended["code"]) == ("deny", "key_ended")
    assert "alice@example.com" in ended["reason"]
    assert done(own, narrow["key"], "get_note") == "deny"
    assert both(own, ERIN, "get_note", "--key", "adm_none")["code"] == "unknown_key"
    assert both(own, BOB, "get_note", "--key", brief["id"])["code"] == "unknown_key"


def test_a_service_account_has_what_it_was_given(own: Town) -> None:
    desk = Desk(own)
    body = {"email": "ci@example.com", "kind": "service", "roles": ["reader"], "responsible": BOB}
    desk.do("POST", "people", body)
    made = desk.key("ci@example.com")

    for tool, verdict in (("get_note", "allow"), ("create_note", "deny")):
        found = both(own, "ci@example.com", tool, "--key", made["id"])

        assert found["verdict"] == done(own, made["key"], tool) == verdict


def _stop(kind: str) -> Callable[[Desk, Made], Any]:
    def stop(desk: Desk, made: Made) -> Any:
        target = {"user": ERIN, "key": made["id"], "tool": "scripted/get_note"}[kind]
        return desk.do("POST", "stops", {"kind": kind, "target": target, "reason": "leak 47"})

    return stop


ENDS: dict[str, tuple[Callable[[Desk, Made], Any], str]] = {
    "suspended": (lambda desk, _: desk.do("POST", f"people/{ERIN}/suspend"), "suspended"),
    "gone": (lambda desk, _: desk.do("POST", f"people/{ERIN}/offboard"), "key_ended"),
    "no role": (
        lambda desk, _: desk.do("PATCH", f"people/{ERIN}", {"roles": []}),
        "no_active_role",
    ),
    "user stopped": (_stop("user"), "stopped"),
    "key stopped": (_stop("key"), "stopped"),
    "tool stopped": (_stop("tool"), "stopped"),
}


@pytest.mark.parametrize("way", ENDS)
def test_whoever_is_kept_out_is_told_by_what(way: str, own: Town) -> None:
    desk = Desk(own)
    desk.hire()
    made = desk.key()
    end, code = ENDS[way]

    end(desk, made)

    found = both(own, ERIN, "get_note", "--key", made["id"])
    assert found["verdict"] == done(own, made["key"], "get_note") == "deny"
    assert found["code"] == code
    if code == "stopped":
        assert "leak 47" in found["reason"]
        assert found["policy_applied"].startswith("stop:")
        assert found["place"] == "database"


def test_temporary_access_counts_from_its_beginning_to_its_end(own: Town) -> None:
    desk = Desk(own)
    desk.hire()
    made = desk.key()
    body = {"role": "writer", "seconds": 3600, "reason": "release"}
    request = _asks(own, made["key"], body)
    desk.do("POST", f"access-requests/{request['id']}/approve", {})

    found = both(own, ERIN, "create_note")

    assert found["verdict"] == "allow"
    assert "temporary access" in found["place"]
    later = datetime.fromtimestamp(time.time() + 7200, UTC).isoformat()
    assert both(own, ERIN, "create_note", "--at", later)["verdict"] == "deny"


def _asks(own: Town, key: str, body: object) -> Any:
    """For access, as somebody who is no administrator."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with closing(http.client.HTTPConnection("127.0.0.1", own.port, timeout=60)) as line:
        line.request("POST", "/api/v1/access-requests", json.dumps(body), headers)
        answer = line.getresponse()
        assert answer.status == 201
        return json.loads(answer.read())


def test_people_ask_about_themselves_and_about_nobody_else(own: Town) -> None:
    desk = Desk(own)
    desk.hire()
    made = desk.key()

    assert asked(own, ERIN, "get_note", key=made["key"]).json()["verdict"] == "allow"
    for other in (BOB, "nobody@example.com"):
        refused = asked(own, other, "get_note", key=made["key"])
        assert refused.code == 1
        assert "torhaus:people:admin" in refused.err
    somebodys = desk.key("alice@example.com")
    found = asked(own, ERIN, "get_note", "--key", somebodys["id"], key=made["key"]).json()
    assert found["code"] == "unknown_key"
    assert "alice" not in str(found)
