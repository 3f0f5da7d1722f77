import time
from datetime import UTC, datetime, timedelta

import pytest
import typer

from torhaus.cli.ending import ending, shown


def test_an_end_is_a_time_or_a_while_from_now() -> None:
    assert ending("2026-12-31T18:00+01:00", None) == "2026-12-31T18:00:00+01:00"
    assert ending(None, None) is None
    soon = datetime.fromisoformat(str(ending(None, "2h"))) - datetime.now(UTC)
    assert timedelta(hours=1.9) < soon <= timedelta(hours=2)
    assert datetime.fromisoformat(str(ending("2026-12-31", None))).tzinfo is not None


@pytest.mark.parametrize(("until", "lasting"), [("tomorrow", None), (None, "soon"), ("x", "1h")])
def test_what_is_no_time_is_a_wrong_use(until: str | None, lasting: str | None) -> None:
    with pytest.raises(typer.Exit):
        ending(until, lasting)


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ("UTC", "2026-12-31 18:00:00 UTC"),
        ("Europe/Berlin", "2026-12-31 19:00:00 +01:00"),
        ("America/St_Johns", "2026-12-31 14:30:00 -03:30"),
    ],
)
def test_times_in_tables_are_of_this_machine_and_say_so(
    zone: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert shown("2026-12-31T18:00:00.000Z") == told
    finally:
        monkeypatch.undo()
        time.tzset()
    assert shown(None) == ""
