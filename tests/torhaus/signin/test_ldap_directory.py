"""A real OpenLDAP, people who are who they say, and all who only try."""

import contextlib
import socket
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.torhaus.signin.conftest import WEIRD
from tests.torhaus.signin.slapd import BASE, GROUPS, PEOPLE, SEARCH, WORD, Slapd, person, slapd
from tests.torhaus.upstream.certificates import authority
from torhaus.model.providers import LdapProvider, Terms
from torhaus.model.secret import Secret
from torhaus.signin.ldap_directory import Directory, DirectoryError

DEVELOPERS = f"cn=developers,{GROUPS}"


def asking(slapd: Slapd, **more: Any) -> Directory:
    said = {
        "name": "corp",
        "label": "Corp",
        "terms": Terms(),
        "host": "localhost",
        "port": slapd.plain,
        "tls": False,
        "ca_file": slapd.ca_file,
        "base": PEOPLE,
        "bind_dn": SEARCH,
        "bind_password": Secret(WORD),
    }
    return Directory(LdapProvider(**{**said, **more}))


@pytest.mark.parametrize("tls", [False, True], ids=["StartTLS", "ldaps"])
def test_whoever_knows_the_password_is_who_he_is(directory: Slapd, tls: bool) -> None:
    port = directory.tls if tls else directory.plain

    found = asking(directory, port=port, tls=tls).prove("alice", "alice-word")

    assert found is not None
    entry, groups = found
    assert entry.dn == f"uid=alice,{PEOPLE}"
    assert (entry.email, entry.name) == ("alice@example.test", "Alice")
    assert str(uuid.UUID(entry.subject)) == entry.subject
    assert groups == (DEVELOPERS,)


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("alice", "bob-word"),
        ("alice", ""),
        ("", "alice-word"),
        ("nobody", "alice-word"),
        ("*", "alice-word"),
        ("a*", "alice-word"),
        ("alice)(uid=*", "alice-word"),
        ("alice)(|(uid=*", "alice-word"),
        ("*)(userPassword=*", "alice-word"),
        ("alice\x00", "alice-word"),
        ("alice", "alice-word\x00"),
        (f"uid=alice,{PEOPLE}", "alice-word"),
        ("alice,dc=evil", "alice-word"),
        ("\\2a", "alice-word"),
        ("alice\\", "alice-word"),
        ("ALICE ", "wrong"),
    ],
)
def test_nobody_gets_in_by_tricks_of_spelling(directory: Slapd, user: str, password: str) -> None:
    assert asking(directory).prove(user, password) is None


def test_a_name_full_of_special_characters_is_one_name(directory: Slapd) -> None:
    found = asking(directory).prove(WEIRD, f"{WEIRD}-word")

    assert found is not None
    assert found[0].email == "weird@example.test"


def test_a_filter_that_finds_two_finds_nobody(directory: Slapd) -> None:
    several = asking(directory, filter="(|(uid={user})(uid=bob))")

    assert several.prove("alice", "alice-word") is None
    assert several.prove("bob", "bob-word") is not None


def test_several_addresses_are_none(directory: Slapd) -> None:
    found = asking(directory).prove("two", "two-word")

    assert found is not None
    assert found[0].email is None


def test_groups_are_searched_where_the_person_does_not_list_them(directory: Slapd) -> None:
    searching = asking(directory, groups_base=GROUPS, groups_filter="(member={dn})")

    found = searching.prove("alice", "alice-word")

    assert found is not None
    assert found[1] == (DEVELOPERS, "developers")


def test_a_common_name_counts_below_the_groups_only(directory: Slapd) -> None:
    found = asking(directory, groups_base=GROUPS).prove("bob", "bob-word")

    assert found is not None
    assert found[1] == (f"cn=admins,{PEOPLE}",)


def test_no_referral_is_followed(directory: Slapd) -> None:
    """The whole tree has one, to a port where nobody listens: it would fail there."""
    assert asking(directory, base=BASE).prove("alice", "alice-word") is not None
    with pytest.raises(DirectoryError, match="referral"):
        asking(directory, base=f"ou=away,{BASE}").prove("alice", "alice-word")


def test_the_search_itself_has_to_be_let_in(directory: Slapd) -> None:
    with pytest.raises(DirectoryError, match="invalidCredentials"):
        asking(directory, bind_password=Secret("wrong")).prove("alice", "alice-word")


def test_who_has_no_lasting_subject_is_refused_and_said(directory: Slapd) -> None:
    with pytest.raises(DirectoryError, match="objectGUID"):
        asking(directory, subject_attribute="objectGUID").prove("alice", "alice-word")


def test_a_certificate_of_somebody_else_is_not_believed(directory: Slapd, tmp_path: Path) -> None:
    with slapd(tmp_path, "other.example") as other:
        for tls in (False, True):
            port = other.tls if tls else other.plain
            with pytest.raises(DirectoryError):
                asking(other, port=port, tls=tls).prove("alice", "alice-word")
        with pytest.raises(DirectoryError):
            asking(other, ca_file=directory.ca_file).prove("alice", "alice-word")


def test_a_certificate_is_for_the_host_as_it_is_written(directory: Slapd) -> None:
    with pytest.raises(DirectoryError):
        asking(directory, host="127.0.0.1").prove("alice", "alice-word")


def test_nothing_is_said_to_a_directory_without_tls() -> None:
    heard: list[bytes] = []

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            asked = connection.recv(4096)
            heard.append(asked)
            # "protocolError" to the extended request, as a directory that cannot, or somebody
            # who wants to hear the password, would say.
            connection.sendall(
                bytes((0x30, 12, 2, 1, asked[4])) + b"\x78\x07\n\x01\x02\x04\0\x04\0"
            )
            heard.append(connection.recv(4096))

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        port = listening.getsockname()[1]
        with pytest.raises(DirectoryError):
            asking(Slapd(Path("/"), port, 0), ca_file=None).prove("alice", "alice-word")
        thread.join(10)

    assert b"1.3.6.1.4.1.1466.20037" in heard[0]
    said = b"".join(heard)
    assert b"alice" not in said
    assert WORD.encode() not in said
    assert SEARCH.encode() not in said


def test_a_directory_that_is_down_cannot_be_asked() -> None:
    with pytest.raises(DirectoryError, match="LDAPSocketOpenError"):
        asking(Slapd(Path("/"), 9, 0), ca_file=None).prove("alice", "alice-word")


def test_whoever_was_there_is_looked_up_again_by_what_he_keeps(directory: Slapd) -> None:
    asked = asking(directory)
    directory.add(person("gone"))
    found = asked.prove("gone", "gone-word")
    assert found is not None
    subject = found[0].subject

    assert asked.still(subject) == ()
    directory.modify(
        f"dn: {DEVELOPERS}\nchangetype: modify\nadd: member\nmember: uid=gone,{PEOPLE}\n"
    )
    assert asked.still(subject) == (DEVELOPERS,)
    directory.delete(f"uid=gone,{PEOPLE}")
    assert asked.still(subject) is None
    assert asked.still("*") is None
    assert asked.still(")(uid=*") is None


def test_active_directorys_ids_are_searched_as_octets() -> None:
    asked = asking(Slapd(Path("/"), 9, 0), ca_file=None, subject_attribute="objectGUID")

    found = asked._has("00112233-4455-6677-8899-aabbccddeeff")

    assert found.lower() == (r"(objectguid=\33\22\11\00\55\44\77\66\88\99\aa\bb\cc\dd\ee\ff)")
    assert asked._has("*") == "(!(objectClass=*))"


GARBAGE = [
    b"\x30\x84\xff\xff\xff\xff",
    b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04",
    b"\x30\x05\x02\x01\x01\x61\x00",
    b"\x30\x03\x02\x01\x01",
    b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x82\xff\xff\x04\x00",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"\x00" * 64,
    b"",
]


@pytest.mark.parametrize("said", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_of_a_directory_is_no_answer(tmp_path: Path, said: bytes) -> None:
    tls = authority(tmp_path).server("localhost")

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with contextlib.suppress(OSError), tls.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(4096)
            wrapped.sendall(said)

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        there = Slapd(tmp_path, 0, listening.getsockname()[1])
        asked = asking(there, port=there.tls, tls=True)
        with pytest.raises(DirectoryError):
            asked.prove("alice", "alice-word")
        thread.join(10)
