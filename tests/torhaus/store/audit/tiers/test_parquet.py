from collections.abc import Iterator
from pathlib import Path

import duckdb
import msgspec
import pytest

from tests.torhaus.store.audit.tiers.stock import MORNING, lines, record
from torhaus.store.audit.tiers.parquet import Base, ends, from_files, from_lines, opened, rows
from torhaus.store.audit.tiers.rows import Sum, from_line, summed


@pytest.fixture
def base(tmp_path: Path) -> Iterator[Base]:
    with opened(tmp_path, "256MB") as made:
        yield made


def written(base: Base, tmp_path: Path, name: str, text: bytes) -> tuple[Path, Sum]:
    total = Sum()
    source, target = tmp_path / f"{name}.jsonl", tmp_path / f"it's {name}.parquet"
    with source.open("wb") as stream:
        for line in text.splitlines(keepends=True):
            row = from_line(line)[1]
            total.add(row)
            stream.write(row + b"\n")
    from_lines(base, source, target)
    return target, total


@pytest.mark.parametrize(
    "parameters",
    [
        b"{}",
        b'{"n":1.10,"big":123456789012345678901234567890,"small":1E-7,"minus":-0}',
        b'{"a":1,"a":2,"b": [ 1 ,2 ]}',
        '{"ü":"\\u00fc\\u0000 \\ud83d\\ude00 \u2028"}'.encode(),
        b'{"_text":"as if it had been wrapped"}',
        b'{"_text": "so"}',
        b'"text"',
        b"[]",
        b'{"deep":' + b"[" * 99 + b"]" * 99 + b"}",
    ],
)
def test_arguments_come_back_octet_for_octet(base: Base, tmp_path: Path, parameters: bytes) -> None:
    line = lines([record(MORNING, 1, parameters=msgspec.Raw(parameters))])

    path, total = written(base, tmp_path, "odd", line)

    (text,) = rows(base, [path])
    assert msgspec.json.decode(text)["parameters"].encode() == parameters
    assert summed([text]).equals(total)


def test_every_field_comes_back(base: Base, tmp_path: Path) -> None:
    full = record(MORNING + 0.5, 3, phase="outcome", operation="a\u0000b")
    text = lines([full, record(MORNING, 4, call=record(0).call)])

    path, total = written(base, tmp_path, "all", text)

    assert summed(rows(base, [path])).equals(total)
    assert ends(base, path) == ("2025-10-20T09:00:00.000Z", "2025-10-20T09:00:00.500Z")


def test_files_are_put_together_sorted(base: Base, tmp_path: Path) -> None:
    parts = [written(base, tmp_path, f"{n}", lines([record(MORNING + n, n)]))[0] for n in (2, 0, 1)]
    target = tmp_path / "all.parquet"

    from_files(base, parts, target)

    times = [msgspec.json.decode(text)["timestamp"] for text in rows(base, [target])]
    assert times == [f"2025-10-20T09:00:0{n}.000Z" for n in range(3)]
    assert summed(rows(base, [target])).equals(summed(rows(base, parts)))


def test_the_repository_stands_in_a_column_of_its_own(base: Base, tmp_path: Path) -> None:
    path, _ = written(base, tmp_path, "one", lines([record(MORNING, 7)]))

    found = base.execute("SELECT repo FROM read_parquet(?)", [str(path)]).fetchall()

    assert found == [("myorg/repo7",)]


def test_a_file_without_records_has_no_ends(base: Base, tmp_path: Path) -> None:
    path, _ = written(base, tmp_path, "none", b"")

    with pytest.raises(ValueError, match="no record"):
        ends(base, path)


def test_what_is_no_parquet_is_an_error(base: Base, tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"hello")

    with pytest.raises(duckdb.Error):
        list(rows(base, [tmp_path / "x.parquet"]))
