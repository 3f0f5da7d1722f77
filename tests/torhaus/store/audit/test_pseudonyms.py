import os
import stat
from pathlib import Path

import pytest

from torhaus.store.audit.pseudonyms import (
    MAX_ADDRESSES,
    NAME,
    PSEUDONYM,
    People,
    mapping,
    told,
)

ALICE, BOB = "Alice@example.org", "bob@example.org"


def file(home: Path) -> Path:
    return home / "audit" / NAME


def test_a_person_has_one_pseudonym_in_every_process_and_after_a_restart(tmp_path: Path):
    first, second = People(tmp_path), People(tmp_path)

    token = first.pseudonym(ALICE)

    assert PSEUDONYM.fullmatch(token)
    assert second.pseudonym("alice@EXAMPLE.org") == token == People(tmp_path).pseudonym(ALICE)
    assert first.pseudonym(BOB) != token


def test_the_mapping_tells_who_is_meant(tmp_path: Path):
    people = People(tmp_path)
    alice, place = people.pseudonym(ALICE), people.address(ALICE, "10.0.0.1")

    assert mapping(tmp_path) == people.mapping() == {alice: ALICE, place: "10.0.0.1"}


def test_two_people_at_one_address_cannot_be_linked_by_it(tmp_path: Path):
    people = People(tmp_path)

    assert people.address(ALICE, "10.0.0.1") != people.address(BOB, "10.0.0.1")


def test_the_file_tells_nothing_and_is_its_owners_alone(tmp_path: Path):
    people = People(tmp_path)
    people.address(ALICE, "10.0.0.1")

    content = file(tmp_path).read_bytes()
    assert b"lice" not in content
    assert b"10.0.0.1" not in content
    assert stat.S_IMODE(file(tmp_path).stat().st_mode) == 0o600


def test_who_is_forgotten_cannot_be_told_any_more(tmp_path: Path):
    people = People(tmp_path)
    alice, bob = people.pseudonym(ALICE), people.pseudonym(BOB)
    place = people.address(ALICE, "10.0.0.1")
    before, size = file(tmp_path).read_bytes(), file(tmp_path).stat().st_size

    assert People(tmp_path).forget("ALICE@example.org") == alice

    after = file(tmp_path).read_bytes()
    assert after[size:] == b"{}\n"  # so that others see that it changed
    kept = set(before.split(b"\n")) & set(after.split(b"\n"))
    assert len(kept) == 3  # Bob's two lines, and the end
    assert mapping(tmp_path) == {bob: BOB}
    assert (
        told(f'"{alice}" "{place}"'.encode(), mapping(tmp_path)) == f'"{alice}" "{place}"'.encode()
    )


def test_who_is_forgotten_gets_another_pseudonym_when_he_comes_back(tmp_path: Path):
    running = People(tmp_path)
    before = running.pseudonym(ALICE)
    People(tmp_path).forget(ALICE)

    assert running.refresh()
    assert not running.refresh()
    assert running.pseudonym(ALICE) != before


def test_nobody_can_be_forgotten_twice(tmp_path: Path):
    people = People(tmp_path)
    people.pseudonym(ALICE)

    assert people.forget(ALICE) is not None
    assert people.forget(ALICE) is None
    assert people.forget(BOB) is None


def test_another_process_that_was_first_is_heard(tmp_path: Path):
    one, other = People(tmp_path), People(tmp_path)
    token = one.pseudonym(ALICE)
    place = one.address(ALICE, "::1")

    assert other.address(ALICE, "::1") == place
    assert other.known(ALICE) == token
    assert file(tmp_path).read_bytes().count(b"\n") == 3


def test_addresses_are_kept_up_to_a_number(tmp_path: Path):
    people = People(tmp_path)
    people.pseudonym(ALICE)
    people._counts[next(iter(people._keys)), "ip"] = MAX_ADDRESSES

    token = people.address(ALICE, "10.9.9.9")

    assert PSEUDONYM.fullmatch(token)
    assert token not in people.mapping()
    assert people.address(ALICE, "10.9.9.9") == token
    assert people.credential(ALICE, "key:adm_1") in people.mapping()  # those are counted apart


def test_a_credential_has_a_pseudonym_of_its_owners(tmp_path: Path):
    people = People(tmp_path)
    key, first = people.credential(ALICE, "key:adm_1"), people.credential(ALICE, "file-key:1")

    assert PSEUDONYM.fullmatch(key)
    assert People(tmp_path).credential("alice@example.org", "key:adm_1") == key
    assert people.credential(BOB, "file-key:1") != first
    assert people.mapping()[key] == "key:adm_1"
    assert people.shown("key:adm_1") == key
    assert people.shown("file-key:1") is None  # whose it is it does not say

    People(tmp_path).forget(ALICE)

    assert people.refresh()
    assert people.shown("key:adm_1") is None
    assert not {key, first} & people.mapping().keys()
    assert people.credential(ALICE, "key:adm_1") != key


def test_a_torn_line_is_cut_and_no_copy_of_it_stays(tmp_path: Path):
    people = People(tmp_path)
    token = people.pseudonym(ALICE)
    with file(tmp_path).open("ab") as stream:
        stream.write(b'{"person":"torn","key":"abc')

    assert mapping(tmp_path) == {token: ALICE}
    assert file(tmp_path).read_bytes().endswith(b"}\n")
    assert os.listdir(tmp_path / "audit") == [NAME]


def test_another_seal_key_is_a_clear_mistake(tmp_path: Path):
    People(tmp_path).pseudonym(ALICE)
    (tmp_path / "seal.key").write_bytes(bytes(32))

    with pytest.raises(ValueError, match=r"does not fit seal\.key"):
        People(tmp_path)


def test_without_pseudonyms_there_is_no_mapping_and_no_file(tmp_path: Path):
    assert mapping(tmp_path) == {}
    assert list(tmp_path.iterdir()) == []


def test_texts_are_told_with_whom_they_mean(tmp_path: Path):
    people = {"p1:" + "A" * 22: 'al"ice@example.org'}
    text = b'{"email":"p1:%b","other":"p1:%b"}' % (b"A" * 22, b"B" * 22)

    assert told(text, people) == text.replace(b"p1:" + b"A" * 22, b'al\\"ice@example.org')
    assert told(b'{"a":1}', people) == b'{"a":1}'


def test_who_was_forgotten_elsewhere_is_forgotten_whatever_is_written_meanwhile(tmp_path: Path):
    gateway, command = People(tmp_path), People(tmp_path)
    before = gateway.pseudonym("alice@example.org")
    gateway.address("alice@example.org", "192.0.2.1")

    command.forget("alice@example.org")
    gateway.address("alice@example.org", "192.0.2.2")
    gateway.pseudonym("bob@example.org")

    assert gateway.known("alice@example.org") is None
    assert gateway.refresh()
    assert not gateway.refresh()
    assert gateway.pseudonym("alice@example.org") != before
    assert sorted(People(tmp_path).mapping().values()) == ["alice@example.org", "bob@example.org"]
