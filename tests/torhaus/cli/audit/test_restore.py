from torhaus.cli.audit.restore import _far, _row
from torhaus.cli.ending import shown

FOUND = {
    "id": "adm_1",
    "first_day": "2025-10-01",
    "last_day": "2025-10-31",
    "until": "2026-11-06T12:00:00.000Z",
    "by": "ada@example.com",
    "files": 2,
    "ready": 1,
}


def test_a_restore_is_a_line_that_says_how_far_it_is() -> None:
    """What a gateway answers is shown in test_holds.py: its day files would have to be cold."""
    assert _row(FOUND)[3:5] == ("1 of 2", shown("2026-11-06T12:00:00Z"))
    assert _far(FOUND) == "1 of 2 day files can be queried"
