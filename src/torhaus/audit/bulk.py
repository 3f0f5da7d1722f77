"""Audit records for Elasticsearch and OpenSearch: what `_bulk` is sent and answers. Pure."""

from collections.abc import Sequence

import msgspec

from torhaus.model.record import Record
from torhaus.model.shipping import DeliveryError, Parcel, PartlyError


def body(batch: Sequence[Parcel], index: str) -> bytes:
    """`create`, so that a record that is there already is told and not written again."""
    lines: list[bytes] = []
    for parcel in batch:
        where = {"_index": f"{index}-{_month(parcel.record.timestamp)}", "_id": parcel.id}
        lines += [msgspec.json.encode({"create": where}), _document(parcel)]
    return b"\n".join(lines) + b"\n"


def _month(timestamp: str) -> str:
    """`2025.10`; of a time that is none, a month that nobody mistakes for one."""
    year, month = timestamp[:4], timestamp[5:7]
    return f"{year}.{month}" if (year + month).isdecimal() and len(month) == 2 else "0000.00"


def _document(parcel: Parcel) -> bytes:
    """With `parameters` as text: each tool has other arguments.

    An index that learned a field for every one of them would soon refuse records.
    """
    record = parcel.record
    text = bytes(record.parameters).decode("utf-8", "replace")
    fields = {"@timestamp": record.timestamp, **{n: getattr(record, n) for n in _FIELDS}}
    return msgspec.json.encode({**fields, "parameters": text})


_FIELDS = tuple(name for name in Record.__struct_fields__ if name != "parameters")


class _Why(msgspec.Struct):
    type: str = ""
    reason: str = ""


class _Item(msgspec.Struct):
    status: int
    error: _Why | str | None = None


class _Answer(msgspec.Struct):
    errors: bool
    items: list[dict[str, _Item]] = []


THERE_ALREADY = 409
BUSY = frozenset((429, 500, 502, 503, 504))


def look(answer: bytes, sent: int, wait: float | None = None) -> None:
    """What became of each record. Raises PartlyError, DeliveryError for an answer that is none."""
    try:
        found = msgspec.json.decode(answer, type=_Answer)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DeliveryError("its answer is not that of a _bulk request") from error
    if not found.errors:
        return
    if len(found.items) != sent:
        raise DeliveryError(f"it answered for {len(found.items)} records, not for {sent}")
    refused: dict[int, str] = {}
    again: list[int] = []
    for place, entry in enumerate(found.items):
        for item in entry.values():
            if item.status in BUSY:
                again.append(place)
            elif item.status >= 300 and item.status != THERE_ALREADY:
                refused[place] = _said(item)
    if refused or again:
        raise PartlyError(refused, again, wait)


def _said(item: _Item) -> str:
    why = item.error
    if isinstance(why, _Why):
        return f"HTTP {item.status}: {why.type}: {why.reason}"
    return f"HTTP {item.status}: {why or 'no reason given'}"
