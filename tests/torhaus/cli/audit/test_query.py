"""`torhaus audit query`, at a terminal."""

import json
from pathlib import Path

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.terminal import CONFIG, KEY, Warm, configured, torhaus
from tests.torhaus.store.query.log import AuditLog, call, denied

OWN = """
audit_logs:
  queries:
    mine: SELECT count(*) AS n FROM audit_logs WHERE operation = 'list_issues'
    denied: SELECT 'ours' AS whose
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    log = AuditLog(tmp_path / "data")
    log.live(call("r1", 0.1), denied("=r2", 0.2))
    log.filed(call("r3", 400), tier="archive")
    return tmp_path


def test_rows_are_for_people_programs_and_spreadsheets(home: Path) -> None:
    sql = "SELECT request_id, result.items AS items FROM audit_logs ORDER BY timestamp"

    table = torhaus("audit", "query", sql, at=home)
    objects = torhaus("audit", "query", "-", "--json", "--limit", "2", at=home, typed=sql)
    cells = torhaus("audit", "query", sql, "--csv", "--limit", "2", "--data-dir", "data", at=home)

    assert table.out.splitlines()[0].split() == ["request_id", "items"]
    assert table.err == "1 day skipped: archived\n"
    assert objects.json() == [
        {"request_id": "=r2", "items": None},
        {"request_id": "r1", "items": 12},
    ]
    assert objects.err.startswith("There are more rows than these 2; --limit N shows more.\n")
    assert cells.out == "request_id,items\n'=r2,\nr1,12\n"
    assert (table.code, objects.code, cells.code) == (0, 0, 0)


def test_what_may_not_be_asked_is_no(home: Path) -> None:
    said = torhaus("audit", "query", "SELECT * FROM read_text('/etc/passwd')", at=home)

    assert (said.code, said.out) == (1, "")
    assert said.err == "read_text() cannot be read from: read audit_logs or audit_records\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Give a SELECT, or --saved NAME"),
        (("SELECT 1", "--saved", "denied"), "Give a SELECT, or --saved NAME"),
        (("SELECT 1", "--json", "--csv"), "Choose one of"),
        (("--saved", "nothing"), "There is no saved question nothing"),
        (("SELECT 1", "--url", "http://127.0.0.1:9", "--limit", "20000"), "at most"),
    ],
)
def test_wrong_use_is_explained(home: Path, words: tuple[str, ...], sentence: str) -> None:
    said = torhaus("audit", "query", *words, at=home)

    assert said.code == 2
    assert sentence in said.err


def test_without_a_log_it_says_where_it_looked(tmp_path: Path) -> None:
    said = torhaus("audit", "query", "SELECT 1", at=tmp_path)

    assert said.code == 1
    assert said.err == "There is no audit log in data; name the gateway's: --data-dir DIR.\n"


def test_questions_of_the_configuration_go_before_shipped_ones(home: Path) -> None:
    configured(home, CONFIG + OWN)

    listed = torhaus("audit", "queries", at=home)
    mine = torhaus("audit", "query", "--saved", "mine", "--json", at=home)
    theirs = torhaus("audit", "query", "--saved", "denied", "--json", at=home)

    assert "mine" in listed.out
    assert "Who touched sensitive repositories" in listed.out
    assert mine.json() == [{"n": 2}]
    assert theirs.json() == [{"whose": "ours"}]


def test_who_may_not_is_refused_by_the_gateway(gate: Gate) -> None:
    said = torhaus(
        "audit",
        "query",
        "SELECT 1",
        at=gate.home,
        env={"TORHAUS_URL": gate.url, "TORHAUS_KEY": KEY},
    )

    assert said.code == 1
    assert said.err == "reading the audit log needs the permission torhaus:audit:read\n"


def test_an_auditor_asks_a_running_gateway_and_so_does_the_machine(tmp_path: Path) -> None:
    auditor = CONFIG.replace("allow: [git.read, time.read]", "allow: [torhaus:audit:read]")
    configured(tmp_path, auditor + OWN)
    with Warm("serve", "--port", "0", at=tmp_path) as running:
        env = {"TORHAUS_URL": running.url(), "TORHAUS_KEY": KEY}
        listed = torhaus("audit", "queries", "--json", at=tmp_path, env=env)
        mine = torhaus("audit", "query", "--saved", "mine", "--json", at=tmp_path, env=env)
        readers = torhaus(
            "audit",
            "query",
            "--saved",
            "audit-readers",
            "--json",
            "--data-dir",
            "data",
            at=tmp_path,
        )
        assert running.stop() == 0, running.err

    assert "mine" in {each["name"] for each in listed.json()}
    assert mine.json() == [{"n": 0}]
    (reader,) = readers.json()
    assert reader["user"] == "alice@example.com"
    assert json.loads(json.dumps(reader["parameters"]))["saved"] == "mine"
