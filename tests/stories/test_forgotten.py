"""A log with pseudonyms: people are told by name, until one is forgotten, and it still verifies."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.town import Town, server
from tests.stories.upstream import Upstream, within
from tests.torhaus.cli.terminal import Said, torhaus
from torhaus.model.asking import Question, Table
from torhaus.model.evidence import Held
from torhaus.store.audit.journal import Journal
from torhaus.store.audit.keys import audit_key
from torhaus.store.query.files import AuditFiles
from torhaus.store.query.sandbox import SandboxRecords

ALICE, BOB = "alice@example.com", "bob@example.com"


@pytest.fixture
def veiled(upstream: Upstream, home: Path) -> Iterator[Town]:
    config = {
        "mcpServers": {"scripted": server(upstream.url)},
        "audit_logs": {"pseudonyms": "on"},
    }
    with Town(config, home) as running:
        yield running


def said(town: Town, *words: str) -> Said:
    env = {name: "x" * 20 + name for name in ("ALICE_KEY", "BOB_KEY", "CAROL_KEY", "MALLORY_KEY")}
    return torhaus(*words, at=town.home, env={**env, "UPSTREAM_TOKEN": "t" * 9 + "0123456"})


def raw(town: Town) -> str:
    """All that the audit log holds, as it is on disk."""
    files = (each for each in (town.data / "audit").rglob("*") if each.is_file())
    return b"\n".join(each.read_bytes() for each in files).decode("utf-8", "replace")


def test_a_person_is_told_until_he_is_forgotten_and_the_log_still_verifies(veiled: Town) -> None:
    with veiled.caller("ALICE") as alice, veiled.caller("BOB") as bob:
        alice.tool("get_note", {"about": BOB, "of": "someone@else.example"})
        bob.tool("get_note", {"n": 1})
        assert within(60, lambda: veiled.count() == 2)

        assert ALICE not in raw(veiled)
        assert BOB not in raw(veiled)
        assert "127.0.0.1" not in raw(veiled)
        assert "someone@else.example" in raw(veiled)
        before = said(veiled, "audit", "tail").out
        assert f"| {ALICE} | scripted.get_note" in before
        assert f"about={BOB}" in before
        assert f"| {BOB} |" in before

        done = said(veiled, "audit", "erase", "--subject", ALICE, "--reason", f"asked by {ALICE}")

        assert (done.code, done.err) == (0, ""), done.err
        assert "still knows the address" in done.out
        after = said(veiled, "audit", "tail").out
        assert ALICE not in after
        assert f"| {BOB} |" in after
        assert "audit.person_forgotten" in after
        exported = said(veiled, "audit", "export", "--user", ALICE)
        assert exported.out == ""
        assert said(veiled, "audit", "export", "--user", BOB).out.count("\n") == 1

        old = {each["user"]["email"] for each in veiled.records()}

        def called_by_a_stranger() -> bool:
            """The gateway looks once a second who was forgotten."""
            alice.tool("get_note", {"n": 2})
            return {each["user"]["email"] for each in veiled.records()} != old

        assert within(60, called_by_a_stranger)
        assert ALICE not in raw(veiled)

    veiled.stop()
    verified = said(veiled, "audit", "verify")
    assert verified.code == 0, verified.out + verified.err


def test_what_somebody_came_with_is_told_and_forgotten_as_he_is(veiled: Town) -> None:
    with veiled.caller("ALICE") as alice, veiled.caller("BOB") as bob:
        alice.tool("get_note")
        bob.tool("get_note")
        assert within(60, lambda: veiled.count() == 2)
    asked = ("audit", "export", "--credential", "file-key:1")

    tokens = [each["credential"] for each in veiled.records()]
    assert [each[:3] for each in tokens] == ["p1:", "p1:"]
    assert tokens[0] != tokens[1]  # everybody has a first key
    assert "file-key" not in raw(veiled)
    assert said(veiled, *asked).out.count('"credential":"file-key:1"') == 2
    assert said(veiled, *asked, "--user", ALICE).out.count("\n") == 1

    done = said(veiled, "audit", "erase", "--subject", ALICE)

    assert done.code == 0, done.err
    left = said(veiled, *asked).out
    assert left.count("\n") == 1
    assert BOB in left
    tail = said(veiled, "audit", "tail", "--json", "--credential", "file-key:1").out
    assert [BOB in tail, tokens[0] in tail] == [True, False]


def test_whoever_is_under_a_legal_hold_is_not_forgotten(veiled: Town) -> None:
    with veiled.caller("ALICE") as alice:
        alice.tool("get_note")
        assert within(60, lambda: veiled.count() == 1)
    journal = Journal(veiled.data / "audit", audit_key(veiled.data, lambda size: bytes(size)))
    journal.append(
        Held(hold="case-7", first_day="2020-01-01", last_day="2099-01-01", by="olga", why="court")
    )

    done = said(veiled, "audit", "erase", "--subject", ALICE)

    assert done.code == 1
    assert "case-7" in done.err
    assert f"| {ALICE} |" in said(veiled, "audit", "tail").out


def test_who_is_not_known_cannot_be_forgotten(veiled: Town) -> None:
    with veiled.caller("ALICE") as alice:
        alice.tool("get_note")
        assert within(60, lambda: veiled.count() == 1)

    done = said(veiled, "audit", "erase", "--subject", "nobody@example.com")

    assert done.code == 1
    assert "no pseudonym for this address" in done.err


def test_sql_tells_people_by_name(veiled: Town) -> None:
    with veiled.caller("ALICE") as alice:
        alice.tool("get_note")
        assert within(60, lambda: veiled.count() == 1)
    sql = (
        'SELECT l."user", l.user_ip, l.credential, r."user".email AS who, r.credential AS own '
        "FROM audit_logs AS l "
        "JOIN audit_records AS r USING (request_id) WHERE l.operation = 'get_note'"
    )

    table = asyncio.run(
        SandboxRecords(AuditFiles(veiled.data / "audit").find).ask(Question(sql=sql))
    )

    assert isinstance(table, Table), table
    assert [tuple(row) for row in table.rows] == [
        (ALICE, "127.0.0.1", "file-key:1", ALICE, "file-key:1")
    ]
