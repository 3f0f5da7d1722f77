"""Records as OpenTelemetry log records."""

import json
from typing import Any

import msgspec
import pytest

from tests.torhaus.store.audit.sinks.receivers import parcel
from torhaus.audit.otlp import export, look
from torhaus.model.record import RecordCall
from torhaus.model.shipping import Parcel, PartlyError

TRACE = "0af7651916cd43dd8448eb211c80319c"


def exported(*batch: Parcel) -> dict[str, Any]:
    return dict(json.loads(export(batch, "1.2.3", "gate", 1_767_225_700.5)))


def log_record(made: Parcel) -> dict[str, Any]:
    found = exported(made)["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert len(found) == 1
    return dict(found[0])


def attributes(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: next(iter(pair["value"].values())) for pair in pairs}


def test_the_resource_says_who_sends() -> None:
    resource = exported(parcel())["resourceLogs"][0]["resource"]

    assert attributes(resource["attributes"]) == {
        "service.name": "torhaus",
        "service.version": "1.2.3",
        "host.name": "gate",
    }


def test_a_record_has_time_severity_and_the_whole_line() -> None:
    found = log_record(parcel(7))

    assert found["timeUnixNano"] == "1767225607000000000"
    assert found["observedTimeUnixNano"] == "1767225700500000000"
    assert (found["severityNumber"], found["severityText"]) == (9, "INFO")
    assert found["body"]["stringValue"].encode() == parcel(7).line
    assert "traceId" not in found


def test_facts_have_the_names_of_the_conventions() -> None:
    found = attributes(log_record(parcel(7))["attributes"])

    assert found["user.email"] == "alice@example.com"
    assert found["client.address"] == "127.0.0.1"
    assert found["user.roles"] == {"values": [{"stringValue": "developer"}]}
    assert found["log.record.uid"] == "seg-1.jsonl:7"
    assert found["torhaus.operation"] == "git_log"
    assert found["torhaus.allowed"] is True
    assert "mcp.protocol.version" not in found
    assert "torhaus.credential" not in found


@pytest.mark.parametrize(("trace", "kept"), [(TRACE, TRACE), ("nonsense", None), ("0" * 31, None)])
def test_the_callers_trace_is_the_records(trace: str, kept: str | None) -> None:
    made = parcel()
    record = msgspec.structs.replace(made.record, call=RecordCall(trace=trace))

    assert log_record(msgspec.structs.replace(made, record=record)).get("traceId") == kept


def test_a_time_that_is_none_becomes_now() -> None:
    made = parcel()
    record = msgspec.structs.replace(made.record, timestamp="garbage")

    found = log_record(msgspec.structs.replace(made, record=record))

    assert found["timeUnixNano"] == found["observedTimeUnixNano"]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}",
        b"<html>",
        b'{"partialSuccess":{}}',
        b'{"partialSuccess":{"errorMessage":"slow"}}',
    ],
)
def test_what_was_taken_is_taken(answer: bytes) -> None:
    look(answer, 3)


@pytest.mark.parametrize("number", ["2", '"2"'])
def test_what_was_taken_in_part_is_set_aside_whole(number: str) -> None:
    body = f'{{"partialSuccess":{{"rejectedLogRecords":{number},"errorMessage":"too old"}}}}'

    with pytest.raises(PartlyError) as caught:
        look(body.encode(), 3)

    assert [*caught.value.refused] == [0, 1, 2]
    assert caught.value.refused[0] == "the receiver refused 2 of 3 records: too old"
    assert caught.value.again == ()


def test_the_credential_is_an_attribute() -> None:
    made = parcel()
    record = msgspec.structs.replace(made.record, credential="key:adm_1")

    found = attributes(log_record(msgspec.structs.replace(made, record=record))["attributes"])

    assert found["torhaus.credential"] == "key:adm_1"
