"""`torhaus audit tiers`."""

from pathlib import Path

from tests.torhaus.cli.terminal import CONFIG, configured, torhaus
from tests.torhaus.store.audit.journals import journal
from tests.torhaus.store.audit.tiers.stock import DAY, MORNING, depot, record, seal
from torhaus.model.evidence import Held
from torhaus.model.keeping import Tier
from torhaus.store.audit.tiers.compacting import compact
from torhaus.store.audit.tiers.moving import move

RETENTION = """
audit_logs:
  retention: {hot_storage: 30d, warm_storage: 90y, cold_storage: 100y}
  after_retention: delete
"""


def stock(home: Path) -> None:
    configured(home, CONFIG + RETENTION)
    data = home / "data"
    for day in range(2):
        seal(data, f"{day}", [record(MORNING + day * DAY, day)])
    here = depot(data)
    compact(here)
    first, _ = here.catalogue().files.values()
    move(here, first, Tier.WARM)
    seal(data, "late", [record(MORNING + DAY, 9), record(MORNING + DAY, 8)])


def test_every_tier_is_a_line_with_what_comes_next(tmp_path: Path) -> None:
    stock(tmp_path)

    said = torhaus("audit", "tiers", at=tmp_path)

    assert said.code == 0, said.err
    lines = [line.split() for line in said.out.splitlines()]
    assert [line[:4] for line in lines[1:]] == [
        ["segments", "disk", "1", "2"],
        ["hot", "disk", "1", "1"],
        ["warm", "disk", "1", "1"],
        ["cold", "disk", "-", "-"],
    ]
    assert "2025-10-21 is due for warm" in said.out
    assert "2115-09-30: 2025-10-20 goes to cold" in said.out


def test_programs_read_the_same_and_holds_are_told(tmp_path: Path) -> None:
    stock(tmp_path)
    hold = Held(hold="h", first_day="2025-10-20", last_day="2025-10-20", by="dana", why="case")
    journal(tmp_path / "data").append(hold)

    found = torhaus("audit", "tiers", "--json", at=tmp_path).json()

    assert [each["records"] for each in found["tiers"]] == [2, 1, 1, 0]
    assert [each["hold"] for each in found["holds"]] == ["h"]
    assert "1 legal hold: see" in torhaus("audit", "tiers", at=tmp_path).out


def test_without_an_audit_log_it_says_where_it_looked(tmp_path: Path) -> None:
    configured(tmp_path)

    said = torhaus("audit", "tiers", at=tmp_path)

    assert (said.code, said.err.partition(";")[0]) == (1, "There is no audit log in data/audit")
