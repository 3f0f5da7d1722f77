"""Records as syslog messages."""

import re

import msgspec
import pytest

from tests.torhaus.store.audit.sinks.receivers import parcel
from torhaus.audit.syslog import counted, host_name, message
from torhaus.model.record import RecordResult
from torhaus.model.shipping import Parcel

# RFC 5424 section 6: PRI VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID [SD] MSG
_MESSAGE = re.compile(
    rb"<(\d{1,3})>1 (\S+) (\S+) (\S+) (\S+) (\S+) "
    rb'\[torhaus@32473((?: [!-<>-Z^-~]+="(?:[^"\\\]]|\\["\\\]])*")+)\] (.*)',
    re.DOTALL,
)


def sent(made: Parcel) -> re.Match[bytes]:
    found = _MESSAGE.fullmatch(message(made, 13, "gate.example.com", "42"))
    assert found is not None
    return found


def test_a_message_is_that_of_the_rfc() -> None:
    found = sent(parcel(7))

    assert found.groups()[:6] == (
        b"110",
        b"2026-01-01T00:00:07.000Z",
        b"gate.example.com",
        b"torhaus",
        b"42",
        b"record",
    )
    assert b' user="alice@example.com"' in found[7]
    assert b' source="seg-1.jsonl" line="7"' in found[7]
    assert found[8] == parcel(7).line


@pytest.mark.parametrize(
    ("status", "severity"), [("success", 6), ("denied", 4), ("error", 3), ("new", 5)]
)
def test_severity_follows_the_status(status: str, severity: int) -> None:
    made = parcel()
    record = msgspec.structs.replace(made.record, result=RecordResult(status, None, False, 1))

    assert int(sent(msgspec.structs.replace(made, record=record))[1]) == 13 * 8 + severity


@pytest.mark.parametrize(
    "text", ['a"b', "a\\b", "a]b", "a\nb", "a\x1b[31mb", "a\u202eb", "a\u2028b", 'x"] <0>1 - evil']
)
def test_no_text_breaks_out_of_its_place(text: str) -> None:
    made = parcel()
    record = msgspec.structs.replace(made.record, operation=text)

    found = sent(msgspec.structs.replace(made, record=record))

    assert b"\n" not in found[7]
    assert b"\x1b" not in found[7]
    assert found[8] == made.line


def test_the_text_is_the_same_json_in_ascii() -> None:
    line = '{"a":"\u00e4\u2028\U0001f600 \\u0041"}'.encode()

    text = sent(msgspec.structs.replace(parcel(), line=line))[8]

    assert text == rb'{"a":"\u00e4\u2028\ud83d\ude00 \u0041"}'
    assert msgspec.json.decode(text) == msgspec.json.decode(line)


def test_a_host_without_a_usable_name_is_nil() -> None:
    assert (host_name("gate 1"), host_name("\u00e4")) == ("gate1", "-")


def test_a_length_counts_octets() -> None:
    assert counted("ä".encode()) == b"2 \xc3\xa4"


def test_the_credential_is_told_where_there_is_one() -> None:
    made = parcel()
    record = msgspec.structs.replace(made.record, credential="key:adm_1")

    assert b' credential="key:adm_1"' in sent(msgspec.structs.replace(made, record=record))[7]
    assert b"credential" not in sent(made)[7]
