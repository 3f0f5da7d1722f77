import msgspec
import pytest

from tests.torhaus.store.audit.ledgers import record
from torhaus.model.record import Record, RecordCall
from torhaus.store.audit.lines import add_line


def lines(records: list[Record]) -> bytes:
    made = bytearray()
    for each in records:
        add_line(made, each)
    return bytes(made)


def test_every_record_is_a_line():
    text = lines([record(f"r{i}") for i in range(1000)])

    read = [msgspec.json.decode(line, type=Record) for line in text.splitlines()]
    assert read == [record(f"r{i}") for i in range(1000)]
    assert text.endswith(b"}\n")


def test_a_record_of_the_wrong_type_leaves_no_half_line_behind():
    made = bytearray(b"before\n")

    with pytest.raises(TypeError):
        add_line(made, record("bad", operation=object()))

    assert made == b"before\n"


@pytest.mark.parametrize(
    "bad",
    [
        record("bad", operation="\ud800"),
        record("bad", operation="\ud800", parameters=msgspec.Raw(b"{}")),
        record("bad", parameters=msgspec.Raw(b'{"a":\n1}')),
        record("bad", parameters=msgspec.Raw(b"\n\n")),
    ],
)
def test_a_record_that_spoils_its_line_is_cleaned_and_the_others_are_untouched(bad: Record):
    text = lines([record("r1"), bad, record("r2")])

    read = [msgspec.json.decode(line, type=Record) for line in text.splitlines()]
    assert [each.request_id for each in read] == ["r1", "bad", "r2"]
    assert read[0] == record("r1")
    assert read[2] == record("r2")
    assert bytes(read[1].parameters) == b'{"_invalid":true}'


def test_a_cleaned_record_still_names_its_approval_and_what_was_masked():
    known = record("bad", parameters=msgspec.Raw(b"\n\n"))
    access = msgspec.structs.replace(known.access_control, approval="apr_1")
    result = msgspec.structs.replace(known.result, redacted=3)

    text = lines([msgspec.structs.replace(known, access_control=access, result=result)])

    read = msgspec.json.decode(text, type=Record)
    assert read.access_control == access
    assert read.result == result


def test_a_cleaned_record_still_says_what_it_is_of():
    about = RecordCall("claude-code\ud800", "2025-11-25", 1, 2, 0.5, "a" * 32)
    known = record("bad", parameters=msgspec.Raw(b"\n\n"), call=about, phase="intent")
    known = msgspec.structs.replace(known, credential="key:adm_1\ud800")

    read = msgspec.json.decode(lines([known]), type=Record)

    assert read.call == msgspec.structs.replace(about, client="claude-code?")
    assert read.credential == "key:adm_1?"
    assert read.phase == "intent"
