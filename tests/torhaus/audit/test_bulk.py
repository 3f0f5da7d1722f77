"""What `_bulk` is sent and answers. Answers are recorded in the form both products publish."""

import json
from typing import Any

import msgspec
import pytest

from tests.torhaus.store.audit.sinks.receivers import parcel
from torhaus.audit.bulk import body, look
from torhaus.model.shipping import DeliveryError, PartlyError


def item(status: int, **error: str) -> dict[str, Any]:
    return {"create": {"_index": "audit-2026.01", "_id": "x", "status": status, **error}}


def answer(*items: dict[str, Any]) -> bytes:
    errors = any(next(iter(each.values()))["status"] >= 300 for each in items)
    return json.dumps({"took": 30, "errors": errors, "items": list(items)}).encode()


def test_each_record_is_an_action_and_a_document() -> None:
    lines = body([parcel(1), parcel(2)], "audit").splitlines()

    assert json.loads(lines[0]) == {"create": {"_index": "audit-2026.01", "_id": "seg-1.jsonl:1"}}
    document = json.loads(lines[1])
    assert document["@timestamp"] == document["timestamp"] == "2026-01-01T00:00:01.000Z"
    assert document["user"]["email"] == "alice@example.com"
    assert len(lines) == 4


def test_the_body_ends_with_a_line_break() -> None:
    assert body([parcel()], "audit").endswith(b"}\n")


def test_arguments_are_text_so_that_tools_cannot_disagree_about_fields() -> None:
    made = parcel()
    record = msgspec.structs.replace(made.record, parameters=msgspec.Raw(b'{"a":{"b":1}}'))

    lines = body([msgspec.structs.replace(made, record=record)], "audit").splitlines()

    assert json.loads(lines[1])["parameters"] == '{"a":{"b":1}}'


@pytest.mark.parametrize("timestamp", ["", "../../x", "20-6.01"])
def test_no_record_chooses_its_index(timestamp: str) -> None:
    made = parcel()
    record = msgspec.structs.replace(made.record, timestamp=timestamp)

    lines = body([msgspec.structs.replace(made, record=record)], "audit").splitlines()

    assert json.loads(lines[0])["create"]["_index"] == "audit-0000.00"


def test_all_taken_is_all_taken() -> None:
    look(answer(item(201), item(201)), 2)


def test_what_is_there_already_is_delivered() -> None:
    conflict = {"type": "version_conflict_engine_exception", "reason": "document already exists"}

    look(answer(item(201), item(409, error=conflict)), 2)  # type: ignore[arg-type]


def test_mapping_errors_are_refused_and_busy_ones_come_again() -> None:
    mapping = {"type": "document_parsing_exception", "reason": "[1:9] failed to parse field [x]"}
    busy = {"type": "es_rejected_execution_exception", "reason": "rejected execution of ..."}

    with pytest.raises(PartlyError) as caught:
        look(answer(item(201), item(400, error=mapping), item(429, error=busy)), 3, 7.0)  # type: ignore[arg-type]

    why = "HTTP 400: document_parsing_exception: [1:9] failed to parse field [x]"
    assert caught.value.refused == {1: why}
    assert (caught.value.again, caught.value.wait) == ([2], 7.0)


def test_an_error_in_old_words_is_kept_too() -> None:
    with pytest.raises(PartlyError) as caught:
        look(answer(item(400, error="MapperParsingException[...]")), 1)

    assert caught.value.refused == {0: "HTTP 400: MapperParsingException[...]"}


@pytest.mark.parametrize(
    "said", [b"", b"<html>", b"[]", b'{"took":1}', b'{"errors":true,"items":[]}', b"\xff"]
)
def test_an_answer_that_is_none_is_no_delivery(said: bytes) -> None:
    with pytest.raises(DeliveryError):
        look(said, 1)
