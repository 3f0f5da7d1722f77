from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from torhaus.store.query.cells import cell, document, reader

BERLIN = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        ("a", "a"),
        (7, 7),
        (-(2**63), -(2**63)),
        (2**63, "9223372036854775808"),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (Decimal("1.50"), "1.50"),
        (datetime(2025, 10, 20, 14, 23, 11, 234000, UTC), "2025-10-20T14:23:11.234Z"),
        (datetime(2025, 10, 20, 14, 23, 11, 234567, UTC), "2025-10-20T14:23:11.234567Z"),
        (datetime(2025, 10, 20, 1, tzinfo=BERLIN), "2025-10-20T00:00:00.000Z"),
        (datetime(2025, 10, 20, 1), "2025-10-20T01:00:00.000"),  # noqa: DTZ001 -- a TIMESTAMP
        (date(2025, 10, 20), "2025-10-20"),
        (time(14, 23), "14:23:00"),
        (timedelta(days=1, seconds=5), "1 day, 0:00:05"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (b"\x00\xff", "00ff"),
        ((1, [Decimal(2)]), [1, ["2"]]),
        ({"a": {1: date(2025, 1, 1)}}, {"a": {"1": "2025-01-01"}}),
        ({None: 1}, {"None": 1}),
    ],
)
def test_every_value_has_its_json(value: Any, expected: Any) -> None:
    assert cell(value) == expected


def test_a_json_column_is_read_as_what_it_says() -> None:
    assert reader("JSON")('{"repo": ["a"]}') == {"repo": ["a"]}
    assert reader("VARCHAR")('{"repo": 1}') == '{"repo": 1}'


@pytest.mark.parametrize("text", ["{", "[" * 100_000, None, "\ud800"])
def test_what_is_no_json_stays_as_it_is(text: Any) -> None:
    assert document(text) == text


def test_what_nothing_is_known_of_is_shown() -> None:
    assert cell(Ellipsis) == "Ellipsis"
