import msgspec
import pytest

from tests.torhaus.store.audit.tiers.stock import MORNING, lines, record
from torhaus.audit.columns import RECORD
from torhaus.model.record import Record
from torhaus.store.audit.tiers.rows import Sum, from_line, summed

LINE = lines([record(MORNING, 7)])


def test_a_line_becomes_a_row_with_its_parameters_as_text() -> None:
    time, row = from_line(LINE)

    assert time == "2025-10-20T09:00:00.000Z"
    assert msgspec.json.decode(row)["parameters"] == '{"owner":"myorg","repo":"repo7","page":0}'
    assert msgspec.json.decode(row)["result"]["cached"] is False


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b'{"timestamp":"2025-10-20T09:00:00.000Z"',
        LINE.replace(b'"phase"', b'"x"')[:-2] + b',"colour":"red"}\n',
        LINE.replace(b'"cached":', b'"kept":'),
        LINE.replace(b"2025-10-20T09", b"2025-10-20 09"),
        LINE.replace(b"2025-10-20T09:00:00.000Z", b"../../etc"),
        LINE.replace(b"person7", b"person\xff"),
    ],
)
def test_what_is_no_record_of_this_version_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="record"):
        from_line(line)


def test_sums_are_equal_for_the_same_rows_in_any_order() -> None:
    one, other, fewer = Sum(), Sum(), Sum()
    for row in (b"a", b"b", b"b"):
        one.add(row)
    for row in (b"b", b"a", b"b"):
        other.add(row)
    for row in (b"b", b"a", b"a"):
        fewer.add(row)

    assert one.equals(other)
    assert not one.equals(fewer)
    assert not one.equals(Sum())


def test_rows_that_duckdb_gives_back_are_summed_like_those_it_was_given() -> None:
    given = Sum()
    given.add(from_line(LINE)[1])
    row = msgspec.json.decode(from_line(LINE)[1])
    back = {**row, "result": {**row["result"], "redacted": None}, "phase": None}

    assert summed([msgspec.json.encode(back).decode()]).equals(given)
    back["operation"] = "other"
    assert not summed([msgspec.json.encode(back).decode()]).equals(given)


def test_a_row_that_is_no_record_is_refused() -> None:
    with pytest.raises(ValueError, match="no record"):
        summed(['{"colour":"red"}'])


def test_day_files_have_a_column_for_every_field_of_a_record() -> None:
    assert [field.name for field in msgspec.structs.fields(Record)] == list(RECORD)
    for name, kind in RECORD.items():
        field = next(each for each in msgspec.structs.fields(Record) if each.name == name)
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            inside = [each.name for each in msgspec.structs.fields(field.type)]
            words = [part.split()[0] for part in kind[len("STRUCT(") : -1].split(", ")]
            assert words == inside
