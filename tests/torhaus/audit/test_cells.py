"""Records as rows of a table."""

import msgspec
import pytest

from tests.torhaus.cli.audit.records_on_disk import record
from torhaus.audit.cells import HEADER, cells, restored, safe
from torhaus.audit.columns import RECORD
from torhaus.audit.line import read
from torhaus.model.record import Record, RecordAccess, RecordCall, RecordResult, RecordUser


def made() -> Record:
    found = read(record(30, "git_log"))
    assert found is not None
    return found


def test_every_leaf_of_a_record_has_a_column() -> None:
    whole = sum(
        len(struct.__struct_fields__)
        for struct in (RecordUser, RecordResult, RecordAccess, RecordCall)
    )

    assert len(HEADER) == len(RECORD) - 4 + whole
    assert HEADER[:4] == ("timestamp", "request_id", "user.email", "user.role")


def test_a_row_has_a_cell_for_each_column() -> None:
    row = dict(zip(HEADER, cells(made()), strict=True))

    assert row["timestamp"] == "2026-01-01T00:00:30.000Z"
    assert row["parameters"] == "{}"
    assert row["result.items"] == ""
    assert row["result.cached"] == "false"
    assert row["result.duration_ms"] == "1.0"


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x")', "\uff1d1"],
)
def test_nothing_is_a_formula(text: str) -> None:
    assert safe(text) == "'" + text.replace("\t", "\\t").replace("\r", "\\r").replace("\n", "\\n")


def test_what_cannot_be_seen_is_written_as_json_does():
    assert (
        safe("a\x1b[31m\u202e\u2028\U000e0041ä😀") == "a\\u001b[31m\\u202e\\u2028\\udb40\\udc41ä😀"
    )


@pytest.mark.parametrize("text", ["", "alice", "1-1", "a=b", "'=1"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert safe(text) == text


def test_a_row_of_a_day_file_becomes_the_record_it_was() -> None:
    before = msgspec.structs.replace(
        made(),
        parameters=msgspec.Raw(b'{"a":[1,2]}'),
        result=RecordResult("success", None, False, 12, 2),
        call=RecordCall(client="claude", sent=12),
        credential="key:adm_1",
        phase="outcome",
    )
    plain = msgspec.json.decode(msgspec.json.encode(before))
    row = [
        before.timestamp,
        before.request_id,
        plain["user"],
        before.mcp_server,
        before.operation,
        '{"a":[1,2]}',
        {**plain["result"], "duration_ms": 12.0},
        {**plain["access_control"], "approval": None},
        {"client": "claude", "protocol": None, "sent": 12, "received": None},
        "key:adm_1",
        "outcome",
    ]

    assert msgspec.json.encode(restored(row)) == msgspec.json.encode(before)


def test_a_row_from_before_calls_were_known_has_none() -> None:
    plain = msgspec.json.decode(msgspec.json.encode(made()))
    row = [plain.get(name) for name in RECORD]
    row[5] = None

    assert restored(row).call == RecordCall()


def test_a_row_from_before_there_were_credentials_has_none() -> None:
    plain = msgspec.json.decode(msgspec.json.encode(made()))

    assert restored([plain.get(name) for name in RECORD]).credential == ""
    assert dict(zip(HEADER, cells(made()), strict=True))["credential"] == ""
