"""The audit log over the API."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.torhaus.admin.hall import ALICE, DANA
from tests.torhaus.api.counter import Counter, counter
from tests.torhaus.store.query.log import NOW, AuditLog, call, denied
from torhaus.model.record import Record


def play(home: Path, story: Callable[[Counter], Awaitable[None]], *records: Record) -> None:
    async def played() -> None:
        log = AuditLog(home)
        if records:
            log.live(*records)
        async with counter(home) as at:
            at.hall.clock.now = NOW.timestamp()
            await story(at)

    asyncio.run(asyncio.wait_for(played(), 60))


RECORDS = (call("r1", 0.1), denied("r2", 0.2), call("r3", 0.3, repo="myorg/secret"))


def test_sql_comes_back_as_objects(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        sql = "SELECT request_id, access_control.allowed AS ok FROM audit_logs ORDER BY request_id"
        found = await at.post("audit", DANA, {"sql": sql, "limit": 2})

        assert found.status == 200, found
        told = found.json
        assert told["columns"] == ["request_id", "ok"]
        assert told["rows"] == [
            {"request_id": "r1", "ok": True},
            {"request_id": "r2", "ok": False},
        ]
        assert (told["more"], told["skipped"]) == (True, [])
        assert at.hall.ends() == [("audit.queried", DANA.email, "success")]

    play(tmp_path, story, *RECORDS)


def test_a_saved_question_is_asked_by_its_name(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        names = [each["name"] for each in (await at.get("audit/queries", DANA)).json]
        found = await at.post("audit", DANA, {"saved": "denied-last-week"})

        assert "denied-last-week" in names
        assert [row["request_id"] for row in found.json["rows"]] == ["r2"]

    play(tmp_path, story, *RECORDS)


def test_pages_follow_their_cursors(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        first = (await at.get("audit?limit=2", DANA)).json
        second = (await at.get(f"audit?limit=2&after={first['next']}", DANA)).json
        other = await at.get(f"audit?limit=2&user=x&after={first['next']}", DANA)

        assert [each["request_id"] for each in first["records"]] == ["r1", "r2"]
        assert [each["request_id"] for each in second["records"]] == ["r3"]
        assert second["next"] is None
        assert other.problem == (422, "invalid")
        assert other.json["fix"] == "begin at the first page"

    play(tmp_path, story, *RECORDS)


def test_filters_narrow_a_page(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        query = "audit?repo=myorg/secret&allowed=true&status=success&since=2020-01-01"
        found = (await at.get(query, DANA)).json

        assert [each["request_id"] for each in found["records"]] == ["r3"]

    play(tmp_path, story, *RECORDS)


WRONG = {
    "usr=x": "usr",
    "since=yesterday": "since",
    "until=2020-99-01": "until",
    "after=x": "after",
    "limit=0": "limit",
    "limit=201": "limit",
    "allowed=perhaps": "allowed",
    "user=" + "x" * 300: "user",
}


def test_a_wrong_filter_is_never_one_that_is_left_out(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        for query, word in WRONG.items():
            found = await at.get(f"audit?{query}", DANA)

            assert found.problem == (422, "invalid"), query
            assert word in found.json["detail"]
        assert at.hall.ends() == []

    play(tmp_path, story)


def test_what_cannot_be_asked_says_why(tmp_path: Path) -> None:
    bodies: list[tuple[dict[str, object], tuple[int, str]]] = [
        ({}, (422, "invalid")),
        ({"sql": "SELECT 1", "saved": "denied"}, (422, "invalid")),
        ({"saved": "nothing"}, (404, "not_found")),
        ({"sql": "DROP VIEW audit_logs"}, (422, "refused")),
        ({"sql": "SELECT * FROM read_text('/etc/passwd')"}, (422, "refused")),
        ({"sql": "SELECT x"}, (422, "failed")),
        ({"sql": "SELECT 1", "limit": 10_001}, (422, "invalid")),
        ({"sql": "SELECT 1", "timeout": 61}, (422, "invalid")),
        ({"sql": "SELECT 1", "unknown": 1}, (422, "invalid")),
        ({"sql": "SELECT " + "1" * 20_000}, (422, "invalid")),
    ]

    async def story(at: Counter) -> None:
        for body, problem in bodies:
            found = await at.post("audit", DANA, body)

            assert found.problem == problem, body
            assert found.json["detail"]

    play(tmp_path, story)


def test_who_may_not_learns_what_he_would_need(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        for found in (
            await at.get("audit", ALICE),
            await at.post("audit", ALICE, {"sql": "SELECT 1"}),
            await at.get("audit/queries", ALICE),
        ):
            assert found.problem == (403, "not_allowed")
            assert "torhaus:audit:read" in found.json["detail"]
        assert (await at.get("audit")).problem == (401, "unauthorized")

    play(tmp_path, story)


def test_an_answer_without_a_record_is_none(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        at.hall.ledger.refuses = True

        assert (await at.post("audit", DANA, {"sql": "SELECT 1"})).problem == (503, "audit")

    play(tmp_path, story)


def test_days_that_are_left_out_are_said(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        found = (await at.post("audit", DANA, {"sql": "SELECT count(*) AS n FROM audit_logs"})).json

        assert found["rows"] == [{"n": 0}]
        (skipped,) = found["skipped"]
        assert (skipped["days"], skipped["why"]) == (1, "archived")
        assert skipped["text"] == "1 day skipped: archived"

    log = AuditLog(tmp_path)
    log.filed(call("r1", 400), tier="archive")

    async def played() -> None:
        async with counter(tmp_path) as at:
            await story(at)

    asyncio.run(played())
