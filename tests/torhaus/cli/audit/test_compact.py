"""`torhaus audit compact`, and the tail of what is compacted."""

from pathlib import Path

from tests.torhaus.cli.terminal import configured, torhaus
from tests.torhaus.store.audit.journals import journal
from tests.torhaus.store.audit.tiers.stock import MORNING, depot, record, seal
from torhaus.model.evidence import Begun
from torhaus.model.keeping import Retention
from torhaus.store.audit.tiers.upkeep import Upkeep


def test_segments_become_day_files_and_are_still_shown(tmp_path: Path) -> None:
    configured(tmp_path)
    seal(tmp_path / "data", "a", [record(MORNING + n, n) for n in range(3)])

    said = torhaus("audit", "compact", at=tmp_path)
    with_segment = torhaus("audit", "tail", at=tmp_path)
    (tmp_path / "data" / "audit" / "hot" / "seg-a.jsonl").unlink()
    without = torhaus("audit", "tail", at=tmp_path)
    two = torhaus("audit", "tail", "-n", "2", at=tmp_path)

    assert (said.code, said.out) == (0, "3 records went to day files.\n")
    assert with_segment.out == without.out
    *shown, last = without.out.splitlines()
    assert len(shown) == 3
    assert "torhaus.audit.compacted | records=3 waiting=0 stay=[]" in last
    assert two.out.splitlines() == without.out.splitlines()[2:]
    again = torhaus("audit", "compact", "--json", at=tmp_path).json()
    assert again["records"] == 1  # the record of the first time


def test_what_is_still_written_is_told_to_whoever_wonders(tmp_path: Path) -> None:
    configured(tmp_path)
    journal(tmp_path / "data").append(Begun(segment="seg-a.jsonl"))

    assert (
        "1 segment still written: it is sealed at" in torhaus("audit", "compact", at=tmp_path).out
    )
    assert "Not counted: 1 segment still written." in torhaus("audit", "tiers", at=tmp_path).out


def test_what_stays_is_told_and_is_a_no(tmp_path: Path) -> None:
    configured(tmp_path)
    path = seal(tmp_path / "data", "a", [record(MORNING, 1)])
    path.write_bytes(path.read_bytes().replace(b"person1", b"person2"))

    said = torhaus("audit", "compact", at=tmp_path)

    assert said.code == 1
    assert "seg-a.jsonl stays: it is not what it was when it was sealed" in said.err
    assert path.exists()


def test_nobody_works_beside_another(tmp_path: Path) -> None:
    configured(tmp_path)
    seal(tmp_path / "data", "a", [record(MORNING, 1)])
    with Upkeep(depot(tmp_path / "data"), Retention())._locked():
        said = torhaus("audit", "compact", at=tmp_path)

    assert said.code == 1
    assert "Another process works on these files" in said.err
