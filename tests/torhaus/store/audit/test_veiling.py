from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.store.audit.ledgers import record
from torhaus.model.ports import LedgerError
from torhaus.model.record import Record, RecordAccess, RecordCall, RecordUser
from torhaus.redact.guard import Guard
from torhaus.store.audit.discreet import DiscreetLedger
from torhaus.store.audit.pseudonyms import People, told
from torhaus.store.audit.veiling import Veiling

KNOWN = frozenset(("alice@example.org", "bob@example.org"))


class Kept:
    def __init__(self) -> None:
        self.records: list[Record] = []

    def note(self, record: Record) -> None:
        self.records.append(record)

    def healthy(self) -> bool:
        return True


def veiled(home: Path, **changes: Any) -> tuple[str, People]:
    people = People(home)
    found = Veiling(people, lambda: KNOWN).veiled(record("req_1", **changes))
    return msgspec.json.encode(found).decode(), people


def test_whoever_calls_has_a_pseudonym_and_so_has_his_address(tmp_path: Path):
    text, people = veiled(tmp_path)

    assert "alice@example.org" not in text
    assert "192.168.1.100" not in text
    assert '"role":"developer"' in text
    assert told(text.encode(), people.mapping()) == msgspec.json.encode(record("req_1"))


@pytest.mark.parametrize(
    "parameters",
    [
        '{"assignee":"bob@example.org"}',
        '{"deep":[{"to":["x@y.z","Bob@Example.org"]}]}',
        '{"bob@example.org":1}',
        '{"text":"ask bob@example.org, or nobody"}',
        '{"url":"https://x.example/?u=bob%40example.org&v=1"}',
        r'{"text":"To:\nbob@example.org\tbob@example.org"}',
        r'{"text":"{\"to\":\"all:\\nbob@example.org\"}"}',
        r'{"text":"\u003cbob@example.org\u003e"}',
        '{"url":"https://x.example/?u=%3Cbob%40example.org%3E"}',
    ],
)
def test_whoever_the_rules_know_has_a_pseudonym_in_arguments(tmp_path: Path, parameters: str):
    text, people = veiled(tmp_path, parameters=msgspec.Raw(parameters.encode()))

    assert "bob" not in text.lower()
    assert people.known("bob@example.org") in text  # type: ignore[operator]
    msgspec.json.decode(text, type=Record)


@pytest.mark.parametrize(
    "parameters",
    [
        '{"to":"notbob@example.org"}',
        '{"to":"bob@example.org.evil.example"}',
        '{"to":"carol@example.org"}',
        '{"to":"bob@example.organic"}',
    ],
)
def test_whoever_they_do_not_know_stays(tmp_path: Path, parameters: str):
    text, _ = veiled(tmp_path, parameters=msgspec.Raw(parameters.encode()))

    assert parameters in text


def test_reasons_name_nobody_either(tmp_path: Path):
    access = RecordAccess("rule", True, "bob@example.org may do this")
    text, people = veiled(tmp_path, access_control=access)

    assert f"{people.known('bob@example.org')} may do this" in text


def test_no_other_text_of_a_record_names_anybody(tmp_path: Path):
    text, people = veiled(
        tmp_path,
        operation="mail_to: bob@example.org",
        access_control=RecordAccess("github block of Bob@example.org: read", True, "fine"),
        call=RecordCall("bob@example.org's laptop", "2025-11-25", 1, 2),
    )

    token = people.known("bob@example.org")
    assert "bob" not in text.lower()
    assert f'"policy_applied":"github block of {token}: read"' in text
    assert f'"client":"{token}\'s laptop"' in text
    assert f'"operation":"mail_to: {token}"' in text


def test_the_house_itself_is_nobody(tmp_path: Path):
    text, people = veiled(tmp_path, user=RecordUser("torhaus", "system", ""))

    assert '"email":"torhaus"' in text
    assert people.mapping() == {}


def test_a_person_who_was_forgotten_meanwhile_is_a_stranger(tmp_path: Path):
    people = People(tmp_path)
    veiling = Veiling(people, lambda: KNOWN)
    before = veiling.veiled(record("req_1")).user.email

    People(tmp_path).forget("alice@example.org")
    veiling.refresh()

    assert veiling.veiled(record("req_1")).user.email != before


def test_new_rules_are_heard(tmp_path: Path):
    known = [frozenset[str]()]
    veiling = Veiling(People(tmp_path), lambda: known[0])
    entry = record("req_1", parameters=msgspec.Raw(b'{"to":"bob@example.org"}'))

    assert b"bob" in bytes(veiling.veiled(entry).parameters)
    known[0] = KNOWN
    assert b"bob" not in bytes(veiling.veiled(entry).parameters)


def test_whoever_left_keeps_his_pseudonym_in_questions_about_him(tmp_path: Path):
    people = People(tmp_path)
    token = people.pseudonym("zoe@example.org")
    veiling = Veiling(people, lambda: KNOWN)
    sql = msgspec.Raw(b'{"sql":"SELECT 1 FROM audit_logs WHERE user = \'Zoe@example.org\'"}')

    found = veiling.veiled(record("req_1", parameters=sql))
    assert token.encode() in bytes(found.parameters)

    People(tmp_path).forget("zoe@example.org")
    veiling.refresh()
    assert token.encode() not in bytes(veiling.veiled(record("req_2", parameters=sql)).parameters)


def test_a_key_that_cannot_be_kept_fails_the_call(tmp_path: Path):
    people = People(tmp_path)
    (tmp_path / "audit").write_text("in the way")
    kept = Kept()
    ledger = DiscreetLedger(kept, Guard(), Veiling(people, lambda: KNOWN))

    with pytest.raises(LedgerError, match="keys of pseudonyms"):
        ledger.note(record("req_1"))
    assert kept.records == []


def test_a_credential_is_veiled_as_its_owner_is(tmp_path: Path):
    text, people = veiled(tmp_path, credential="key:adm_1")

    assert "key:adm_1" not in text
    assert told(text.encode(), people.mapping()) == msgspec.json.encode(
        record("req_1", credential="key:adm_1")
    )


def test_who_has_no_address_has_no_pseudonym_and_neither_has_what_he_came_with(tmp_path: Path):
    text, _ = veiled(tmp_path, user=RecordUser("anonymous", "r", "::1"), credential="key:adm_1")

    assert '"credential":"key:adm_1"' in text
    assert '"credential"' not in veiled(tmp_path)[0]


def test_whoever_asked_for_a_credential_has_not_told_whose_it_is(tmp_path: Path):
    key, strange = "key:adm_0123456789abcdef0123", "key:adm_ffffffffffffffffffff"
    token = People(tmp_path).credential("bob@example.org", key)
    sql = f"SELECT * FROM audit_logs WHERE credential IN ('{key}', '{strange}')"

    text, _ = veiled(tmp_path, parameters=msgspec.Raw(msgspec.json.encode({"sql": sql})))

    assert key not in text
    assert f"('{token}', '{strange}')" in text


def test_who_was_forgotten_gets_another_pseudonym_for_his_key_too(tmp_path: Path):
    veiling = Veiling(People(tmp_path), lambda: KNOWN)
    before = veiling.veiled(record("req_1", credential="key:adm_1"))
    People(tmp_path).forget("alice@example.org")
    veiling.refresh()

    after = veiling.veiled(record("req_2", credential="key:adm_1"))

    assert after.credential not in (before.credential, "key:adm_1")
