import asyncio
from collections.abc import Awaitable
from typing import Any

import msgspec
import pytest

from tests.torhaus.redact.samples import GITHUB
from tests.torhaus.store.audit.ledgers import record
from torhaus.model.record import Record, RecordAccess, RecordCall, RecordResult, RecordUser
from torhaus.redact.guard import Guard
from torhaus.store.audit.discreet import DiscreetLedger

SECRET = "alice-secret-key-abc123"
MASK = "[redacted:gateway-secret]"


class Kept:
    """A ledger that keeps what it is given."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.well = True

    def note(self, record: Record) -> Awaitable[None] | None:
        self.records.append(record)
        return asyncio.sleep(0) if not self.well else None

    def healthy(self) -> bool:
        return self.well


def noted(entry: Record, guard: Guard | None = None) -> Record:
    kept = Kept()
    DiscreetLedger(kept, guard or Guard([SECRET])).note(entry)
    return kept.records[0]


def test_a_clean_record_leaves_as_the_very_same_object_the_second_time():
    kept = Kept()
    ledger = DiscreetLedger(kept, Guard([SECRET]))
    entry = record("req_1")

    ledger.note(entry)
    ledger.note(entry)

    assert kept.records[0] == entry
    assert kept.records[1] is entry


@pytest.mark.parametrize(
    "changes",
    [
        {"request_id": SECRET},
        {"operation": f"get_{SECRET}"},
        {"mcp_server": SECRET},
        {"user": RecordUser(f"{SECRET}@example.org", "developer", "::1")},
        {"user": RecordUser("a@example.org", SECRET, "::1")},
        {"user": RecordUser("a@example.org", "r", SECRET)},
        {"access_control": RecordAccess(SECRET, True, "fine")},
        {"access_control": RecordAccess("rule", False, f"the server said {SECRET}")},
        {"access_control": RecordAccess("rule", False, "no", SECRET)},
        {"call": RecordCall(client=SECRET)},
        {"call": RecordCall(protocol=SECRET)},
        {"credential": f"key:{SECRET}"},
        {"call": RecordCall(client="c", trace=SECRET)},
        {"result": RecordResult(SECRET, None, False, 1), "operation": SECRET},
        {"parameters": msgspec.Raw(f'{{"deep":[{{"er":"{SECRET}"}}]}}'.encode())},
        {"parameters": msgspec.Raw(f'{{"{SECRET}":1}}'.encode())},
    ],
)
def test_no_field_lets_a_secret_through(changes: dict[str, Any]):
    found = noted(record(**{"request_id": "req_1", **changes}))

    assert SECRET not in msgspec.json.encode(found).decode()
    assert MASK in msgspec.json.encode(found).decode()


def test_shapes_of_tokens_are_masked_too():
    found = noted(record("req_1", parameters=msgspec.Raw(f'{{"a":"{GITHUB}"}}'.encode())))

    assert bytes(found.parameters) == b'{"a":"[redacted:github-token]"}'


def test_arguments_that_cannot_be_checked_are_told_by_their_digest():
    deep = b"[" * 50_000 + f'"{SECRET}"'.encode() + b"]" * 50_000
    found = noted(record("req_1", parameters=msgspec.Raw(deep)))

    assert msgspec.json.decode(found.parameters)["_withheld"] is True
    assert SECRET.encode() not in bytes(found.parameters)


def test_what_was_clean_is_looked_at_again_when_secrets_change():
    kept, guard = Kept(), Guard()
    ledger = DiscreetLedger(kept, guard)
    entry = record("req_1", operation=SECRET)
    ledger.note(entry)

    guard.renew([SECRET])
    ledger.note(entry)

    assert [each.operation for each in kept.records] == [SECRET, MASK]


def test_arguments_of_an_intent_are_looked_at_once_and_again_for_other_secrets():
    guard, kept = Guard(), Kept()
    ledger = DiscreetLedger(kept, guard)
    arguments = b'{"note":"token=%b, and s3cr3t-of-the-house"}' % GITHUB.encode()

    for _ in range(2):
        ledger.note(record("req_1", parameters=msgspec.Raw(arguments)))
    first, second = (each.parameters for each in kept.records)
    assert second is first
    assert GITHUB.encode() not in bytes(first)

    ledger.note(record("req_2", parameters=msgspec.Raw(arguments)))
    guard.renew(["s3cr3t-of-the-house"])
    ledger.note(record("req_2", parameters=msgspec.Raw(arguments)))
    assert b"s3cr3t" in bytes(kept.records[2].parameters)
    assert b"s3cr3t" not in bytes(kept.records[3].parameters)


def test_a_flood_of_names_is_not_remembered_for_ever():
    kept = Kept()
    ledger = DiscreetLedger(kept, Guard([SECRET]))
    for number in range(17_000):
        ledger.note(record("r", operation=f"tool_{number}"))

    assert len(ledger._clean) < 17_000


def test_health_and_waiting_are_those_of_the_ledger_behind() -> None:
    kept = Kept()
    kept.well = False
    ledger = DiscreetLedger(kept, Guard())

    assert not ledger.healthy()
    waiting = ledger.note(record("req_1"))
    assert waiting is not None
    asyncio.run(waited(waiting))


async def waited(waiting: Awaitable[None]) -> None:
    await waiting


@pytest.mark.parametrize(
    "name",
    [
        "key:adm_0123456789abcdef0123",
        "token:con_0123456789abcdef0123456789abcdef",
        "token:jag_adm_0123456789abcdef0123",
        "session:adm_0123456789abcdef0123",
        "file-key:12",
    ],
)
def test_what_a_credential_is_called_is_no_secret_nor_is_a_question_for_it(name: str):
    sql = f"SELECT * FROM audit_logs WHERE credential = '{name}'"
    asked = msgspec.Raw(msgspec.json.encode({"sql": sql, "filters": {"with": name}}))
    entry = record("req_1", credential=name, parameters=asked)

    assert noted(entry) == entry
