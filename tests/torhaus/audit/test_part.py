"""Which records somebody wants."""

import msgspec
import pytest

from tests.torhaus.cli.audit.records_on_disk import record
from torhaus.audit.line import read
from torhaus.audit.part import EVERYTHING, Part, concerns, since, until
from torhaus.model.record import Record, RecordAccess, RecordResult, RecordUser


def made() -> Record:
    found = read(record(30, "git_log"))
    assert found is not None
    return found


@pytest.mark.parametrize(
    "wanted",
    [
        EVERYTHING,
        Part(since="2026-01-01T00:00:30.000Z", until="2026-01-01T00:00:30.001Z"),
        Part(user="ALICE@example.com", server="git", operation="git_log", status="success"),
    ],
)
def test_what_fits_is_taken(wanted: Part) -> None:
    assert wanted.takes(made())


def test_who_asks_for_a_credential_is_told_so_under_a_name_that_masks_nothing() -> None:
    wanted = Part(since="2026-01-01T00:00:30.000Z", credential="key:adm_1")

    assert wanted.takes(msgspec.structs.replace(made(), credential="key:adm_1"))
    assert not wanted.takes(made())
    assert wanted.asked() == {"since": "2026-01-01T00:00:30.000Z", "with": "key:adm_1"}
    assert EVERYTHING.asked() == {}


@pytest.mark.parametrize(
    "wanted",
    [
        Part(since="2026-01-01T00:00:30.001Z"),
        Part(until="2026-01-01T00:00:30.000Z"),
        Part(user="bob@example.com"),
        Part(server="github"),
        Part(operation="git"),
        Part(status="denied"),
        Part(credential="key:adm_2"),
        Part(credential="key:adm"),
    ],
)
def test_what_does_not_fit_is_left(wanted: Part) -> None:
    assert not wanted.takes(made())


@pytest.mark.parametrize(
    ("text", "first", "beyond"),
    [
        ("2025-10-20", "2025-10-20T00:00:00.000Z", "2025-10-21T00:00:00.000Z"),
        ("2025-10-20T14:00:00Z", "2025-10-20T14:00:00.000Z", "2025-10-20T14:00:00.000Z"),
        ("2025-10-20T14:00", "2025-10-20T14:00:00.000Z", "2025-10-20T14:00:00.000Z"),
        ("2025-10-20T14:00:00+02:00", "2025-10-20T12:00:00.000Z", "2025-10-20T12:00:00.000Z"),
    ],
)
def test_a_day_lasts_to_its_end_and_a_moment_does_not(text: str, first: str, beyond: str) -> None:
    assert (since(text), until(text)) == (first, beyond)


DAYS = ["", "20", "2025-13-01", "yesterday", "9999-12-31", "0001-01-01", "0001-01-02", "0970-01-01"]


@pytest.mark.parametrize("text", DAYS)
def test_what_is_no_day_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="write 2025-10-20 or"):
        until(text) if text != "0001-01-01" else since("0001-01-01T00:00:00+14:00")


def test_a_day_without_wanted_records_is_known_by_its_name() -> None:
    part = Part(since=since("2025-10-20T14:00:00Z"), until=until("2025-10-22"))

    assert [day for day in range(18, 26) if part.takes_day(f"2025-10-{day}")] == [20, 21, 22, 23]


@pytest.mark.parametrize(
    ("parameters", "reason", "named"),
    [
        (b'{"to":"BOB@example.com"}', "fine", True),
        (b'{"text":"ask bob@example.com."}', "fine", True),
        (rb'{"text":"To:\nbob@example.com"}', "fine", True),
        (rb'{"text":"{\"to\":\"all:\\nbob@example.com\"}"}', "fine", True),
        (b'{"url":"?to=%3Cbob@example.com%3E"}', "fine", True),
        (b"{}", "bob@example.com may do this", True),
        (b'{"to":"notbob@example.com"}', "fine", False),
        (b'{"to":"bob@example.com.evil.example"}', "fine", False),
        (b'{"to":["notbob@example.com","bob@example.com"]}', "fine", True),
        (b"{}", "fine", False),
    ],
)
def test_a_record_concerns_whom_it_names(parameters: bytes, reason: str, named: bool):
    found = Record(
        "2026-01-01T00:00:00.000Z",
        "r",
        RecordUser("alice@example.com", "r", ""),
        "s",
        "o",
        msgspec.Raw(parameters),
        RecordResult("success", None, False, 1),
        RecordAccess("rule", True, reason),
    )

    assert concerns(found, "bob@example.com") is named
    assert Part(subject="Bob@Example.com").takes(found) is named
    assert concerns(found, "ALICE@example.com")
