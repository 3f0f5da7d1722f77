"""The views' SQL; what it answers is seen in `store/query`."""

import duckdb
import pytest

from torhaus.audit.columns import DAY, FLAT, RECORD
from torhaus.audit.holdings import Segment
from torhaus.audit.views import LOGS, RECORDS, day_columns, literal, views


def test_both_views_have_their_columns_without_any_file() -> None:
    with duckdb.connect() as base:
        for statement in views([], []):
            base.execute(statement)
        logs = base.execute(f"DESCRIBE {LOGS}").fetchall()
        records = base.execute(f"DESCRIBE {RECORDS}").fetchall()

    assert [row[0] for row in logs] == list(FLAT)
    assert [row[0] for row in records] == list(RECORD)


def test_a_name_in_a_path_cannot_leave_its_quotes() -> None:
    name = "/data/it's; DROP VIEW x/seg.jsonl"
    logs, _ = views([Segment(name)], [name])

    assert logs.count(literal(name)) == 2
    assert literal(name) == "'/data/it''s; DROP VIEW x/seg.jsonl'"


def test_days_that_are_elsewhere_are_left_out_of_their_segment_only() -> None:
    segments = [Segment("a"), Segment("b", ("2026-01-01", "2026-01-02")), Segment("c")]

    logs, _ = views(segments, [])

    assert logs.count("read_json(") == 2
    assert "read_json(['a', 'c']" in logs
    assert "NOT IN ('2026-01-01', '2026-01-02')" in logs


@pytest.mark.parametrize(
    ("parameters", "repo"),
    [
        ('{"repo":"myorg/web"}', "myorg/web"),
        ('{"owner":"myorg","repo":"web"}', "myorg/web"),
        ('{"owner":"myorg"}', None),
        ('{"project":"x"}', None),
        ('{"_truncated":true}', None),
        ('{"repo":7}', "7"),
        ("[1]", None),
    ],
)
def test_a_day_file_says_which_repository(parameters: str, repo: str | None) -> None:
    given = {"parameters": f"{literal(parameters)}::JSON"}
    columns = ", ".join(f'{given.get(name, "NULL")} AS "{name}"' for name in RECORD)
    with duckdb.connect() as base:
        found = base.execute(f"SELECT {day_columns()} FROM (SELECT {columns})").fetchall()

    assert found[0][list(DAY).index("repo")] == repo
