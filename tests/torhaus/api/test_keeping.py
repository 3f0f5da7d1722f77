"""Holds, restores and tiers over the API."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.torhaus.admin.hall import ALICE, DANA
from tests.torhaus.api.counter import Counter, play
from tests.torhaus.cast import run
from torhaus.admin.keeping import HoldRecords

DAYS = {"first_day": "2025-10-01", "last_day": "2025-10-31"}


def told(path: Path, story: Callable[[Counter], Awaitable[None]]) -> None:
    run(play(path, story))


def test_a_hold_begins_is_listed_and_ends(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        made = await at.post("audit/holds", DANA, {**DAYS, "why": "case 7"})
        listed = await at.get("audit/holds", DANA)
        gone = await at.post(f"audit/holds/{made.json['id']}/release", DANA, {"why": "case closed"})
        after = await at.get("audit/holds", DANA)

        assert made.status == 201
        assert made.json == {**DAYS, "id": made.json["id"], "by": DANA.email, "why": "case 7"}
        assert listed.json == [made.json]
        assert (gone.status, gone.json) == (200, made.json)
        assert after.json == []

    told(tmp_path, story)


def test_a_restore_is_asked_for_and_listed(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        made = await at.post("audit/restores", DANA, {**DAYS, "days": 3})
        listed = await at.get("audit/restores", DANA)

        assert made.status == 202
        assert (made.json["files"], made.json["ready"], made.json["by"]) == (2, 0, DANA.email)
        assert listed.json == [{**made.json, "ready": 1}]

    told(tmp_path, story)


def test_tiers_are_told(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        found = await at.get("audit/tiers", DANA)

        assert found.status == 200
        assert found.json == {
            "tiers": {"hot": {"files": 2, "records": 500, "bytes": 12_000}},
            "waiting": {"files": 1, "records": 9, "bytes": 900},
            "oldest_waiting": "1970-01-01T00:00:00.000Z",
            "broken": 0,
            "restoring": 0,
            "trouble": None,
        }

    told(tmp_path, story)


@pytest.mark.parametrize("path", ["audit/holds", "audit/restores", "audit/tiers"])
def test_only_auditors_and_administrators_look(tmp_path: Path, path: str) -> None:
    async def story(at: Counter) -> None:
        assert (await at.get(path, ALICE)).problem == (403, "not_allowed")
        assert (await at.get(path)).problem == (401, "unauthorized")

    told(tmp_path, story)


@pytest.mark.parametrize(
    ("path", "body", "problem"),
    [
        ("audit/holds", {**DAYS, "why": "x"}, (403, "not_allowed")),
        ("audit/holds/adm_1/release", {"why": "x"}, (403, "not_allowed")),
        ("audit/restores", DAYS, (403, "not_allowed")),
    ],
)
def test_only_administrators_act(
    tmp_path: Path, path: str, body: dict[str, str], problem: tuple[int, str]
) -> None:
    async def story(at: Counter) -> None:
        assert (await at.post(path, ALICE, body)).problem == problem

    told(tmp_path, story)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("audit/holds", {"first_day": "x", "last_day": "2025-10-31", "why": "x"}),
        ("audit/holds", {**DAYS, "why": ""}),
        ("audit/holds", {**DAYS, "why": "x", "by": "bob"}),
        ("audit/holds", {**DAYS, "first_day": "2025-11-01", "why": "x"}),
        ("audit/restores", {**DAYS, "days": 999}),
        ("audit/holds/adm_1/release", {}),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, path: str, body: dict[str, str]) -> None:
    async def story(at: Counter) -> None:
        assert (await at.post(path, DANA, body)).problem == (422, "invalid")

    told(tmp_path, story)


def test_a_broken_journal_is_told(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        at.hall.vault.broken = "the journal cannot be written"

        assert (await at.get("audit/holds", DANA)).problem == (503, "unavailable")
        assert (await at.get("audit/restores", DANA)).problem == (503, "unavailable")
        made = await at.post("audit/holds", DANA, {**DAYS, "why": "x"})
        assert made.problem == (503, "unavailable")

    told(tmp_path, story)


def test_acts_over_the_api_are_records(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        await at.hall.done(DANA, HoldRecords(DAYS["first_day"], DAYS["last_day"], "case 7"))
        await at.post("audit/restores", DANA, DAYS)

        assert [each[0] for each in at.hall.ends()] == ["audit.held", "audit.restored"]

    told(tmp_path, story)
