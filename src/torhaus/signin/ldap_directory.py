"""An LDAP directory, asked over TLS only. Blocking: callers run it in a thread."""

import ssl
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import ldap3
import msgspec
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_bytes, escape_filter_chars

from torhaus.identity.distinguished import below, canonical
from torhaus.model.providers import LdapProvider

PATIENCE = 5
"""Seconds to connect, and for each answer."""
MAX_GROUPS = 1000
# The library takes apart what a directory says without looking: garbage raises what it likes.
_FAULTS = (LDAPException, OSError, ValueError, TypeError, LookupError, AttributeError)
_MEMBER_OF = "memberOf"
_NOBODY = "cn=nobody"


class DirectoryError(Exception):
    """The directory cannot be asked. The text is for the log."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One person. `groups`: as `memberOf` has them."""

    dn: str
    subject: str
    email: str | None
    name: str
    groups: tuple[str, ...]


class _Checked(ldap3.Tls):  # type: ignore[misc]
    """TLS in which OpenSSL itself compares the certificate with the host's name or address.

    The library has a comparison of its own, which does not know addresses since Python 3.12.
    """

    def __init__(self, ca_file: str | None) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._ca_file = ca_file

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 -- the library's
        context = ssl.create_default_context()
        if self._ca_file is not None:
            context.load_verify_locations(self._ca_file)
        connection.socket = context.wrap_socket(
            connection.socket, server_hostname=connection.server.host
        )


class Directory:
    """One connection for each question: who is asked as is never mixed up."""

    def __init__(self, provider: LdapProvider) -> None:
        self._provider = provider
        self._server = ldap3.Server(
            provider.host,
            provider.port,
            use_ssl=provider.tls,
            tls=_Checked(provider.ca_file),
            get_info=ldap3.NONE,
            connect_timeout=PATIENCE,
            allowed_referral_hosts=[],
        )

    def prove(self, user: str, password: str) -> tuple[Entry, tuple[str, ...]] | None:
        """Who this is, and in which groups; None when nobody, or the password is wrong.

        An unknown name costs a bind too, so that it takes as long. Raises DirectoryError.
        """
        # A bind without a password is no proof, and succeeds at some directories (RFC 4513, 5.1.2).
        if not user or not password or "\0" in user + password:
            return None
        with _asked(), self._searching() as search:
            entry = self._person(search, self._named(user))
            dn = f"{_NOBODY},{self._provider.base}" if entry is None else entry.dn
            proved = self._bound(dn, password)
            if entry is None or not proved:
                return None
            return entry, self._groups(search, entry)

    def still(self, subject: str) -> tuple[str, ...] | None:
        """The groups of somebody who signed in before; None when he is not there any more.

        Raises DirectoryError.
        """
        with _asked(), self._searching() as search:
            everybody = self._provider.filter.replace("{user}", "*")
            entry = self._person(search, f"(&{everybody}{self._has(subject)})")
            return None if entry is None else self._groups(search, entry)

    def _named(self, user: str) -> str:
        return self._provider.filter.replace("{user}", escape_filter_chars(user))

    def _has(self, subject: str) -> str:
        attribute = self._provider.subject_attribute
        if _is_guid(attribute):
            try:
                return f"({attribute}={escape_bytes(uuid.UUID(subject).bytes_le)})"
            except ValueError:
                return "(!(objectClass=*))"
        return f"({attribute}={escape_filter_chars(subject)})"

    @contextmanager
    def _searching(self) -> Iterator[ldap3.Connection]:
        provider = self._provider
        with self._connected(provider.bind_dn, provider.bind_password.reveal()) as connection:
            if not connection.bind():
                raise DirectoryError(f"the search is not let in: {_said(connection)}")
            yield connection

    def _bound(self, dn: str, password: str) -> bool:
        with self._connected(dn, password) as connection:
            return bool(connection.bind())

    @contextmanager
    def _connected(self, dn: str, password: str) -> Iterator[ldap3.Connection]:
        """Encrypted and checked before anything is said."""
        connection = ldap3.Connection(
            self._server,
            user=dn,
            password=password,
            authentication=ldap3.SIMPLE,
            auto_bind=ldap3.AUTO_BIND_NONE,
            auto_referrals=False,
            read_only=True,
            receive_timeout=PATIENCE,
        )
        try:
            connection.open()
            if not self._provider.tls and not (connection.start_tls() and connection.tls_started):
                raise DirectoryError("it does not speak TLS")
            yield connection
        finally:
            _close(connection)

    def _person(self, search: ldap3.Connection, filter_: str) -> Entry | None:
        """Exactly one, or nobody."""
        provider = self._provider
        wanted = dict.fromkeys(
            (
                provider.subject_attribute,
                provider.email_attribute,
                provider.name_attribute,
                _MEMBER_OF,
            )
        )
        found = self._found(search, provider.base, filter_, list(wanted), 2)
        if len(found) != 1:
            return None
        [entry] = found
        raw = {name.lower(): values for name, values in entry["raw_attributes"].items()}
        subjects = raw.get(provider.subject_attribute.lower(), [])
        if len(subjects) != 1:
            raise DirectoryError(f"a person has no {provider.subject_attribute} that we may read")
        emails = raw.get(provider.email_attribute.lower(), [])
        names = raw.get(provider.name_attribute.lower(), [])
        return Entry(
            dn=entry["dn"],
            subject=_subject(provider.subject_attribute, subjects[0]),
            # Several addresses are listed in no order: none of them is the one.
            email=_text(emails[0]) if len(emails) == 1 else None,
            name=_text(names[0]) if names else "",
            groups=tuple(_text(each) for each in raw.get(_MEMBER_OF.lower(), [])),
        )

    def _groups(self, search: ldap3.Connection, entry: Entry) -> tuple[str, ...]:
        """Full names, and common names of those directly below `groups_base`."""
        provider = self._provider
        found = list(entry.groups)
        if provider.groups_filter is not None and provider.groups_base is not None:
            filter_ = provider.groups_filter.replace("{dn}", escape_filter_chars(entry.dn))
            hits = self._found(search, provider.groups_base, filter_, [ldap3.NO_ATTRIBUTES], 0)
            found += [each["dn"] for each in hits]
        names = [canonical(each) for each in found[:MAX_GROUPS]]
        base = None if provider.groups_base is None else canonical(provider.groups_base)
        short = [below(name, base) for name in names] if base is not None else []
        return tuple(dict.fromkeys([*names, *(each for each in short if each is not None)]))

    def _found(
        self,
        search: ldap3.Connection,
        base: str,
        filter_: str,
        attributes: list[str],
        most: int,
    ) -> list[dict[str, Any]]:
        search.search(
            base,
            filter_,
            search_scope=ldap3.SUBTREE,
            attributes=attributes,
            size_limit=most,
            time_limit=PATIENCE,
        )
        # 0: all of it; 4: there is more, of which the caller judges; else nothing is known.
        if search.result["result"] not in (0, 4):
            raise DirectoryError(f"the search failed: {_said(search)}")
        return [each for each in search.response or [] if each["type"] == "searchResEntry"]


@contextmanager
def _asked() -> Iterator[None]:
    try:
        yield
    except _FAULTS as error:
        raise DirectoryError(f"it cannot be asked: {type(error).__name__}") from error


def _close(connection: ldap3.Connection) -> None:
    """The library leaves the socket open where a certificate was not believed."""
    with suppress(*_FAULTS):
        connection.unbind()
    if connection.socket is not None:
        connection.socket.close()


def _said(connection: ldap3.Connection) -> str:
    return str(connection.result.get("description", "no reason given"))


def _is_guid(attribute: str) -> bool:
    return attribute.lower() == "objectguid"


def _subject(attribute: str, raw: bytes) -> str:
    if _is_guid(attribute) and len(raw) == 16:
        return str(uuid.UUID(bytes_le=raw))
    return _text(raw)


def _text(raw: bytes) -> str:
    """What is no UTF-8 stays distinct, and readable."""
    return raw.decode(errors="backslashreplace")
