"""Records with pseudonyms in the place of people's addresses."""

import re
from collections.abc import Callable, Collection

import msgspec
from ahocorasick_rs import MATCHKIND_LEFTMOST_LONGEST, BytesAhoCorasick

from torhaus.model.record import Record, RecordUser
from torhaus.store.audit.pseudonyms import MARK, People

_REMEMBERED = 16384
_BEFORE = re.compile(rb"[A-Za-z0-9._%+\-]")
_AFTER = re.compile(rb"[A-Za-z0-9\-]|\.[A-Za-z0-9]")
# The line break in `To:\nalice@...` and the bracket in `%3Calice%40...` are no part of a name.
_ESCAPE = re.compile(rb"(?:\\(?:[bfnrt]|u[0-9A-Fa-f]{4})|%[0-9A-Fa-f]{2})\Z")
_LONGEST = 6
_IDS = (b":adm_", b":con_", b":jag_")
_CREDENTIAL = re.compile(rb"(?:key|token|session):[a-z]{3}_\w{1,60}")
"""What records call keys, clients and sessions: an auditor may have asked for one."""

replace = msgspec.structs.replace


class Veiling:
    """What people are called in records. `known`: the e-mail addresses of the rules in force.

    Whoever acts gets a pseudonym; so does, in arguments and reasons, whoever the rules know, and
    whoever has one already: an auditor may ask for those who have left.
    """

    __slots__ = ("_addresses", "_credentials", "_known", "_people", "_seen", "_users")

    def __init__(self, people: People, known: Callable[[], Collection[str]]) -> None:
        self._people = people
        self._known = known
        self._users: dict[RecordUser, RecordUser] = {}
        self._credentials: dict[tuple[str, str], str] = {}
        self._seen: Collection[str] | None = None
        self._addresses: BytesAhoCorasick | None = None

    def refresh(self) -> None:
        """Whoever was forgotten meanwhile is a stranger from now on."""
        if self._people.refresh():
            self._users.clear()
            self._credentials.clear()
            self._seen = None

    def veiled(self, record: Record) -> Record:
        """Raises OSError when a new person's key cannot be kept."""
        user = self._users.get(record.user) or self._user(record.user)
        parameters: bytes | msgspec.Raw = record.parameters
        if b"@" in bytes(parameters) or b"%40" in bytes(parameters):
            parameters = self._told(bytes(parameters))
        if any(each in bytes(parameters) for each in _IDS):
            parameters = _CREDENTIAL.sub(self._shown, bytes(parameters))
        raw = parameters if isinstance(parameters, msgspec.Raw) else msgspec.Raw(parameters)
        access, operation, call = record.access_control, record.operation, record.call
        # A block of the configuration that is one person's has his address in its rules' names.
        if "@" in access.reason or "@" in access.policy_applied:
            rule, reason = self._text(access.policy_applied), self._text(access.reason)
            access = replace(access, policy_applied=rule, reason=reason)
        if "@" in call.client:
            call = replace(call, client=self._text(call.client))
        return replace(
            record,
            user=user,
            operation=self._text(operation),
            parameters=raw,
            access_control=access,
            call=call,
            credential=self._credential(record.user.email, record.credential),
        )

    def _text(self, text: str) -> str:
        if "@" not in text:
            return text
        return self._told(text.encode("utf-8", "replace")).decode()

    def _credential(self, email: str, shown: str) -> str:
        """Whose key it is stands in many a list: its name says as much as his address."""
        if not shown or not _named(email):
            return shown
        made = self._credentials.get((email, shown))
        if made is None:
            made = self._people.credential(email, shown)
            if len(self._credentials) >= _REMEMBERED:
                self._credentials.clear()
            self._credentials[email, shown] = made
        return made

    def _shown(self, found: re.Match[bytes]) -> bytes:
        known = self._people.shown(found[0].decode())
        return found[0] if known is None else known.encode()

    def _user(self, user: RecordUser) -> RecordUser:
        made = user
        if _named(user.email):
            email = self._people.pseudonym(user.email)
            ip = self._people.address(user.email, user.ip) if user.ip else ""
            made = RecordUser(email, user.role, ip)
        if len(self._users) >= _REMEMBERED:
            self._users.clear()
        self._users[user] = made
        return made

    def _told(self, text: bytes) -> bytes:
        automaton = self._automaton()
        if automaton is None:
            return text
        pieces: list[bytes] = []
        at = 0
        for _, start, end in automaton.find_matches_as_indexes(text.lower()):
            if _goes_on(text, start) or _AFTER.match(text, end):
                continue
            email = text[start:end].replace(b"%40", b"@").decode()
            pieces += (text[at:start], self._people.pseudonym(email).encode())
            at = end
        return b"".join((*pieces, text[at:])) if pieces else text

    def _automaton(self) -> BytesAhoCorasick | None:
        known = self._known()
        if known is not self._seen:
            everybody = {*(each.lower() for each in known), *self._people.emails()}
            words = {each.encode() for each in everybody if "@" in each}
            words |= {each.replace(b"@", b"%40") for each in words}
            made = BytesAhoCorasick(sorted(words), matchkind=MATCHKIND_LEFTMOST_LONGEST)
            self._addresses = made if words else None
            self._seen = known
        return self._addresses


def _named(email: str) -> bool:
    return "@" in email and not email.startswith(MARK)


def _goes_on(text: bytes, start: int) -> bool:
    """Whether what begins there is the end of a longer address."""
    if start == 0 or _BEFORE.match(text, start - 1) is None:
        return False
    return _ESCAPE.search(text[max(0, start - _LONGEST) : start]) is None
