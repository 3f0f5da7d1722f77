"""A role for a while: asked for, granted, taken back; at once, on every node, streams included."""

import json
import stat
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.stories.test_revocation import ends, listening
from tests.stories.town import KEYS, SOON, Town, server
from tests.stories.upstream import Upstream, within
from tests.torhaus.store.state.databases import CannotRunError, postgres

PEOPLE: dict[str, Any] = {
    "users": [
        {"email": "alice@example.com", "role": "admin", "api_keys": ["${ALICE_KEY}"]},
        {"email": "bob@example.com", "role": "reader", "api_keys": ["${BOB_KEY}"]},
        {"email": "mallory@example.com", "role": "nobody", "api_keys": ["${MALLORY_KEY}"]},
    ],
    "roles": {
        "admin": {"permissions": ["*"]},
        "reader": {"permissions": ["other:read"]},
        "writer": {"permissions": ["scripted:*"]},
        "nobody": {"permissions": []},
    },
}


def config(upstream: Upstream, **more: Any) -> dict[str, Any]:
    servers = {"scripted": server(upstream.url), "other": server(upstream.url)}
    return {**PEOPLE, "mcpServers": servers, **more}


@pytest.fixture
def own(upstream: Upstream, home: Path) -> Iterator[Town]:
    with Town(config(upstream), home) as running:
        yield running


def api(town: Town, who: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{town.port}/api/v1/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"apikey": KEYS[f"{who}_KEY"], "content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def grant(town: Town, role: str = "writer", **decision: Any) -> str:
    """Bob asks, Alice agrees: the grant's id."""
    wish = {"role": role, "seconds": 3600}
    status, asked = api(town, "BOB", "POST", "access-requests", wish)
    assert status == 201, asked
    path = f"access-requests/{asked['id']}/approve"
    status, done = api(town, "ALICE", "POST", path, decision)
    assert status == 200, done
    return str(done["grant"])


def may_write(town: Town) -> bool:
    with town.caller("BOB") as bob:
        return "create_note" in bob.tool("create_note").text


def test_a_grant_opens_a_server_and_its_end_closes_it_with_its_streams(own: Town) -> None:
    assert not may_write(own)

    made = grant(own)

    assert within(60, lambda: may_write(own))
    with listening(own, "BOB") as stream:
        assert api(own, "ALICE", "DELETE", f"grants/{made}")[0] == 200
        assert ends(stream) < SOON
    assert not may_write(own)
    operations = [each["operation"] for each in own.records() if "access." in each["operation"]]
    assert operations == ["access.requested", "access.approved", "access.revoked"]


def test_a_grant_ends_to_the_second_and_its_streams_with_it(own: Town) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=8)
    grant(own, until=until.isoformat())
    assert within(60, lambda: may_write(own))

    with listening(own, "BOB") as stream:
        ends(stream)

    assert -0.05 <= time.time() - until.timestamp() < SOON
    assert not may_write(own)
    status, me = api(own, "BOB", "GET", "me")
    assert (status, me["roles"], me["grants"][0]["in_force"]) == (200, ["reader"], False)


def test_a_grant_outlives_a_restart_and_a_change_of_the_file(
    upstream: Upstream, home: Path
) -> None:
    with Town(config(upstream), home) as town:
        grant(town)
    with Town(config(upstream), home) as town:
        assert may_write(town)

        town.write({**town.config, "approvals": {"expires": "10m"}})
        town.hang_up()

        assert within(60, lambda: "config.reloaded" in town.output())
        assert may_write(town)


def test_nobody_helps_himself(own: Town) -> None:
    _, asked = api(own, "BOB", "POST", "access-requests", {"role": "admin", "seconds": 3600})

    for who in ("BOB", "MALLORY"):
        status, problem = api(own, who, "POST", f"access-requests/{asked['id']}/approve")
        assert (status, problem["code"]) == (403, "not_allowed")
    assert not may_write(own)


def test_the_database_is_its_owners_alone_and_holds_no_key(own: Town) -> None:
    grant(own)

    files = [each for each in own.data.iterdir() if each.name.startswith("state.db")]
    assert files
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    held = b"".join(each.read_bytes() for each in files)
    assert not any(key.encode() in held for key in KEYS.values())


def test_without_its_database_calls_go_on_and_ready_says_so(own: Town) -> None:
    (own.data / "state.db").unlink()

    assert api(own, "ALICE", "GET", "approvals")[0] == 503
    with own.caller("ALICE") as alice:
        assert "create_note" in alice.tool("create_note").text
    page = own.get("/ready")
    assert page is not None
    assert "state database does not answer" in json.loads(page)["state"]


@pytest.fixture
def elephant() -> Iterator[str]:
    """A PostgreSQL database's URL."""
    try:
        with postgres() as url:
            yield f"{url}/postgres"
    except CannotRunError as error:
        pytest.skip(str(error))


def test_two_gateways_share_one_postgresql(
    upstream: Upstream, elephant: str, tmp_path: Path
) -> None:
    shared = config(upstream, storage={"state": elephant})
    with Town(shared, tmp_path / "one") as one, Town(shared, tmp_path / "two") as two:
        made = grant(one)
        assert within(60, lambda: may_write(one))
        assert within(60, lambda: may_write(two))

        assert api(two, "ALICE", "DELETE", f"grants/{made}")[0] == 200
        assert within(60, lambda: not may_write(two))
        assert within(60, lambda: not may_write(one))

        assert not (one.data / "state.db").exists()
