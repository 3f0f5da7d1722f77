"""Filters and cursors as SQL; the pages themselves are seen in `admin/test_auditing.py`."""

import base64
import json

import pytest

from torhaus.audit.pages import Cursor, Filters, cursor, last_of, page
from torhaus.audit.part import Part

FILTERS = Filters(part=Part(user="alice@example.org"), allowed=False)
RECORD = {
    "timestamp": "2026-01-01T10:00:00.000Z",
    "request_id": "r1",
    "operation": "list",
    "result": {"status": "denied"},
}


def test_what_is_filtered_by_is_bound_and_never_sql() -> None:
    evil = "' OR 1=1; --"
    every = Filters(
        part=Part(
            since=evil,
            until=evil,
            user=evil,
            server=evil,
            operation=evil,
            status=evil,
            credential=evil,
        ),
        repo=evil,
        text=evil,
    )

    sql, bound = page(every, Cursor(evil, evil, evil, evil, evil))

    assert evil not in sql
    assert set(bound.values()) == {evil}
    assert all(f"${name}" in sql for name in bound)


def test_no_filter_asks_for_everything() -> None:
    sql, bound = page(Filters(), None)

    assert "WHERE" not in sql
    assert bound == {}


def test_false_is_a_filter() -> None:
    assert page(Filters(allowed=False), None)[1] == {"allowed": False}


@pytest.mark.parametrize(
    ("since", "floor", "expected"), [("b", "a", "b"), ("a", "b", "b"), ("", "b", "b")]
)
def test_the_later_of_two_beginnings_counts(since: str, floor: str, expected: str) -> None:
    assert page(Filters(part=Part(since=since)), None, floor)[1] == {"since": expected}


def test_a_cursor_comes_back_as_it_went() -> None:
    made = last_of(RECORD, FILTERS)

    assert cursor(made.text, FILTERS) == made
    assert made == Cursor("2026-01-01T10:00:00.000Z", "r1", "denied", "list", FILTERS.digest)


def test_a_cursor_of_other_filters_is_refused() -> None:
    made = last_of({**RECORD, "result": None}, FILTERS)

    with pytest.raises(ValueError, match="from other filters: begin at the first page"):
        cursor(made.text, Filters())


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "????",
        "ä",
        encoded([]),
        encoded({"at": "x"}),
        encoded([1, 2, 3, 4, 5]),
        encoded(["x", "r", "s", "o", FILTERS.digest]),
        encoded(["2026-13-01T10:00:00.000Z", "r", "s", "o", FILTERS.digest]),
        encoded(["0001-01-02T10:00:00.000Z", "r", "s", "o", FILTERS.digest]),
        encoded(["20260101T10000000Z", "r", "s", "o", FILTERS.digest]),
        encoded(["2026-01-01T10:00:00.000Z", "r", "s", "o", FILTERS.digest, "more"]),
        "W" * 4000,
    ],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="this is no cursor"):
        cursor(text, FILTERS)
