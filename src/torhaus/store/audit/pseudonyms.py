"""Pseudonyms of people in the audit log, and the keys without which nobody can tell whose they are.

`audit/people.keys` holds one random key a person, encrypted under a key derived from `seal.key`.
A pseudonym is `p1:` and an HMAC under the person's key; what it stands for is kept beside the key,
encrypted under it. Once a person's lines are overwritten, nothing can link the pseudonyms to him,
and the records stay as they were written.

For SQL: `mapping(data_dir)` is a dict from pseudonym to address; register it as a table
`people(token, value)` and read `coalesce(people.value, "user".email)` from
`... LEFT JOIN people ON people.token = "user".email`, and likewise for `"user".ip` and
`credential`. For lines and texts there is `told`.
"""

import fcntl
import hmac
import os
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from torhaus.identity.shown import FILE_KEY
from torhaus.store.audit.disk import prepare, sync_directory, write
from torhaus.store.secret_key import NAME as SEAL
from torhaus.store.secret_key import sealing_secret

NAME = "people.keys"
MARK = "p1:"
PSEUDONYM = re.compile(r"p1:[A-Za-z0-9_-]{22}")
_BYTES = re.compile(rb"p1:[A-Za-z0-9_-]{22}")
MAX_ADDRESSES = 1000
"""Network addresses of one person that can be told again; later ones are pseudonyms for good."""
MAX_CREDENTIALS = 10_000
"""The same of his keys, sessions and the clients he let in: each sign-in is one more."""

_NONCE = 12
_PURPOSE = b"torhaus audit people"


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """`person`: a random id. `key`: his key under the house's; `value`: an address under his."""

    person: str = ""
    key: str = ""
    kind: str = ""
    value: str = ""


class People:
    """The file of one data directory. Any process may add to it, or forget somebody.

    `random`: octets nobody can guess. `value`s are e-mail addresses, network addresses, and what
    records call credentials.
    Methods that write raise OSError; `open` ValueError where the file and `seal.key` do not fit.
    """

    def __init__(self, data_dir: Path, random: Callable[[int], bytes] = os.urandom) -> None:
        self._path = data_dir / "audit" / NAME
        self._random = random
        self._house = AESGCM(_derived(sealing_secret(data_dir, random)))
        self._elsewhere = False
        """Whether another process changed the file since `refresh` last said so."""
        self._start_over()
        self.refresh()

    def mapping(self) -> dict[str, str]:
        """Pseudonym -> what it stands for."""
        return dict(self._values)

    def emails(self) -> Collection[str]:
        """Whoever has a pseudonym, in small letters."""
        return self._emails.keys()

    def known(self, email: str) -> str | None:
        """The pseudonym of an address, if it has one."""
        return self._emails.get(email.lower())

    def pseudonym(self, email: str) -> str:
        """The pseudonym of an address; the first time, a key is made and is durable afterwards."""
        found = self._emails.get(email.lower())
        if found is None:
            with self._locked() as fd:
                self._catch_up(fd)  # another process may have been first
                if email.lower() not in self._emails:
                    self._add(fd, email)
                found = self._emails[email.lower()]
        return found

    def address(self, email: str, ip: str) -> str:
        """The pseudonym of a network address of somebody."""
        return self._his(email, "ip", ip, MAX_ADDRESSES)

    def credential(self, email: str, shown: str) -> str:
        """The pseudonym of what records call a credential of somebody."""
        return self._his(email, "credential", shown, MAX_CREDENTIALS)

    def _his(self, email: str, kind: str, value: str, most: int) -> str:
        owner = self._owners[self.pseudonym(email)]
        token = _token(self._keys[owner], f"{kind} {value}")
        if token not in self._values and self._counts.get((owner, kind), 0) < most:
            with self._locked() as fd:
                self._catch_up(fd)
                if owner in self._keys and token not in self._values:
                    self._append(fd, [self._entry(owner, kind, value)])
        return token

    def shown(self, credential: str) -> str | None:
        """The pseudonym of a credential that only one person can have, if it has one."""
        return self._credentials.get(credential)

    def forget(self, email: str) -> str | None:
        """Overwrite a person's key and all that is under it. The pseudonym he had, or None."""
        with self._locked() as fd:
            self._start_over()
            self._catch_up(fd)
            token = self._emails.get(email.lower())
            if token is None:
                return None
            owner = self._owners[token]
            for at, line in self._lines(fd):
                if _read(line).person == owner:
                    # As long as before, so that it lies where the key lay.
                    os.pwrite(fd, b"{%b}" % (b" " * (len(line) - 2)), at)
            # Longer than before: no clock is too coarse for others to see that it changed.
            os.lseek(fd, 0, os.SEEK_END)
            write(fd, b"{}\n")
            os.fsync(fd)
            self._start_over()
            self._catch_up(fd)
        return token

    def refresh(self) -> bool:
        """Whether the file changed since it was last read; it is read again then."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            found = None
        if self._stamp == _stamp(found) and not self._elsewhere:
            return False
        self._start_over()
        self._elsewhere = False
        if found is not None:
            with self._locked() as fd:
                self._catch_up(fd)
        return True

    # -- the file ------------------------------------------------------------------------------

    def _start_over(self) -> None:
        self._keys: dict[str, bytes] = {}
        self._emails: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._credentials: dict[str, str] = {}
        self._counts: dict[tuple[str, str], int] = {}
        self._offset = 0
        self._stamp: tuple[int, ...] = ()

    @contextmanager
    def _locked(self) -> Iterator[int]:
        fresh = not self._path.exists()
        if fresh:
            prepare(self._path.parent)
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            if fresh:
                sync_directory(self._path.parent)
            fcntl.flock(fd, fcntl.LOCK_EX)
            if self._stamp not in ((), _stamp(os.fstat(fd))):
                self._start_over()  # somebody may have been forgotten
                self._elsewhere = True
            yield fd
            self._stamp = _stamp(os.fstat(fd))
        finally:
            os.close(fd)

    def _lines(self, fd: int, at: int = 0) -> Iterator[tuple[int, bytes]]:
        data = os.pread(fd, os.fstat(fd).st_size - at, at)
        for line in data.splitlines(keepends=True):
            if line.endswith(b"\n"):
                yield at, line[:-1]
            at += len(line)

    def _catch_up(self, fd: int) -> None:
        # What a crash has torn is cut off here: a copy of it would outlive its person's key.
        size = os.fstat(fd).st_size
        whole = os.pread(fd, size, 0).rfind(b"\n") + 1
        if whole < size:
            os.ftruncate(fd, whole)
        for at, line in self._lines(fd, self._offset):
            self._take(_read(line))
            self._offset = at + len(line) + 1

    def _take(self, line: Line) -> None:
        if line.key:
            self._keys[line.person] = self._opened(self._house, line.key, line.person)
        if line.value and line.person in self._keys:
            key = self._keys[line.person]
            value = self._opened(AESGCM(key), line.value, line.kind).decode()
            token = _token(key, f"{line.kind} {value}")
            self._values[token] = value
            self._owners[token] = line.person
            if line.kind == "email":
                self._emails[value.lower()] = token
            else:
                held = (line.person, line.kind)
                self._counts[held] = self._counts.get(held, 0) + 1
            if line.kind == "credential" and not value.startswith(FILE_KEY):
                self._credentials[value] = token

    def _add(self, fd: int, email: str) -> None:
        person, key = self._random(8).hex(), self._random(32)
        self._keys[person] = key
        held = Line(person=person, key=self._sealed(self._house, key, person))
        self._append(fd, [held, self._entry(person, "email", email)])

    def _entry(self, person: str, kind: str, value: str) -> Line:
        sealed = self._sealed(AESGCM(self._keys[person]), value.encode(), kind)
        return Line(person=person, kind=kind, value=sealed)

    def _append(self, fd: int, lines: list[Line]) -> None:
        size = os.fstat(fd).st_size
        os.lseek(fd, 0, os.SEEK_END)
        try:
            write(fd, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
            os.fsync(fd)
        except OSError:
            with suppress(OSError):
                os.ftruncate(fd, size)
            raise
        self._catch_up(fd)

    def _sealed(self, under: AESGCM, what: bytes, bound: str) -> str:
        nonce = self._random(_NONCE)
        return b64encode(nonce + under.encrypt(nonce, what, bound.encode())).decode()

    def _opened(self, under: AESGCM, text: str, bound: str) -> bytes:
        wrong = f"{self._path} does not fit {SEAL}: restore both from one backup, or move it away"
        try:
            raw = b64decode(text, validate=True)
            return under.decrypt(raw[:_NONCE], raw[_NONCE:], bound.encode())
        except (InvalidTag, Base64Error, ValueError) as error:
            raise ValueError(wrong) from error


def mapping(data_dir: Path) -> dict[str, str]:
    """Pseudonym -> e-mail or network address or credential, of everybody who is not forgotten.

    Empty where there were never any pseudonyms. Raises OSError; ValueError for a damaged file.
    """
    if not (data_dir / "audit" / NAME).exists():
        return {}
    return People(data_dir).mapping()


def told(text: bytes, people: Mapping[str, str]) -> bytes:
    """JSON text with the pseudonyms that are known replaced by what they stand for."""
    if b"p1:" not in text or not people:
        return text

    def value(found: re.Match[bytes]) -> bytes:
        known = people.get(found[0].decode())
        return found[0] if known is None else msgspec.json.encode(known)[1:-1]

    return _BYTES.sub(value, text)


def _stamp(found: os.stat_result | None) -> tuple[int, ...]:
    return () if found is None else (found.st_ino, found.st_size, found.st_mtime_ns)


def _token(key: bytes, what: str) -> str:
    digest = hmac.digest(key, what.lower().encode(), sha256)
    return MARK + urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def _derived(secret: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret)


def _read(line: bytes) -> Line:
    """What is no line, or was overwritten, is nobody's."""
    try:
        return msgspec.json.decode(line, type=Line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Line()
