"""`roles`, `accessControl`, `users` and `auth.anonymous` compiled to principals and keys."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from torhaus.config.addresses import is_private
from torhaus.config.amounts import moment
from torhaus.config.schema import File, User
from torhaus.config.tree import Path, Source, meant, printable
from torhaus.identity import keys
from torhaus.model.people import AnonymousAccess, Permission, Principal
from torhaus.policy import permission

ANONYMOUS = "anonymous"
_SHORT = 16

Access = Mapping[str, tuple[Permission, ...]]


class People(msgspec.Struct, frozen=True):
    principals: Mapping[str, Principal]
    keys: Mapping[bytes, Principal]
    anonymous: tuple[AnonymousAccess, ...]


def people(source: Source, file: File) -> People:
    """Everyone who may call. Mistakes go to `source.problems`."""
    roles = Roles(source, file)
    principals: dict[str, Principal] = {}
    found = _Keys(source)
    first: dict[str, int] = {}
    for index, user in enumerate(file.users):
        path: Path = ("users", index)
        if user.email in first:
            where = source.line(("users", first[user.email]))
            source.error((*path, "email"), f"this user is on line {where} already", "keep one")
        first.setdefault(user.email, index)
        principal = _principal(source, path, user, roles, file.server.timezone)
        principals[principal.id] = principal
        found.add(path, user, principal)
    anonymous = _anonymous(source, file, roles)
    principals.update((access.principal.id, access.principal) for access in anonymous)
    return People(principals, found.by_digest, anonymous)


class Roles:
    """The roles in force, and what callers in several of them may do on each server."""

    def __init__(self, source: Source, file: File) -> None:
        self._source = source
        self._servers = tuple(file.mcpServers)
        self._grants: dict[str, list[Permission]] = {}
        self._combined: dict[tuple[str, ...], Access] = {}
        for name, role in file.roles.items():
            self._define(name, ("roles", name, "permissions"), role.permissions)
        for index, rule in enumerate(file.accessControl):
            self._define(rule.role, ("accessControl", index, "allow"), rule.allow)

    def access(self, roles: tuple[str, ...]) -> Access:
        """Shared by all callers with the same roles."""
        if roles not in self._combined:
            self._combined[roles] = self._combine(roles)
        return self._combined[roles]

    def known(self, role: str, path: Path) -> None:
        """Report a role that is used and defined nowhere."""
        if role in self._grants:
            return
        close = meant(role, list(self._grants))
        fix = f"did you mean {close}?" if close else "define it under roles or accessControl"
        self._source.error(path, f"no such role: {_shown(self._source, path, role)}", fix)

    def _define(self, name: str, path: Path, texts: tuple[str, ...]) -> None:
        grants = self._grants.setdefault(name, [])
        for index, text in enumerate(texts):
            here = (*path, index)
            try:
                grant = permission.parse(text, f"{name}: {text}")
            except ValueError as error:
                said = printable(str(error))
                if self._source.nodes(here)[-1].outside:
                    said = "what the environment holds is not a permission"
                self._source.error(here, said, "correct the permission")
                continue
            grants.append(grant)
            if grant.server != "*" and grant.server not in self._servers:
                close = meant(grant.server, self._servers)
                fix = f"did you mean {close}?" if close else "add the server, or remove this"
                self._source.warn(here, f"no server {grant.server!r} is configured", fix)

    def _combine(self, roles: tuple[str, ...]) -> Access:
        grants = list(_distinct(grant for role in roles for grant in self._grants.get(role, ())))
        anywhere = tuple(grant for grant in grants if grant.server == "*")
        here = {
            server: tuple(grant for grant in grants if grant.server in ("*", server))
            for server in self._servers
        }
        return {**here, "*": anywhere}


def _distinct(grants: Iterable[Permission]) -> Iterable[Permission]:
    """The same grant from two roles counts once, under the first one's name."""
    seen = set()
    for grant in grants:
        what = (grant.server, grant.type, grant.action)
        if what not in seen:
            seen.add(what)
            yield grant


def _principal(source: Source, path: Path, user: User, roles: Roles, zone: str) -> Principal:
    if user.role is not None:
        roles.known(user.role, (*path, "role"))
    for index, role in enumerate(user.roles):
        roles.known(role, (*path, "roles", index))
    names = tuple(dict.fromkeys([user.role] if user.role is not None else user.roles))
    expires = None
    if user.expires is not None:
        try:
            expires = end_of(moment(user.expires), zone)
        except (OverflowError, ValueError):
            source.error((*path, "expires"), "the date is out of range", "leave it out for never")
    return Principal(
        id=user.email,
        email=user.email,
        roles=names,
        expires=expires,
        access=roles.access(names),
    )


def end_of(value: date | datetime, zone: str) -> float:
    """Unix seconds of a moment, or of the first instant after a day in a time zone."""
    if isinstance(value, datetime):
        local = value if value.tzinfo is not None else value.replace(tzinfo=ZoneInfo(zone))
    else:
        local = datetime.combine(value + timedelta(days=1), time(), ZoneInfo(zone))
    return local.astimezone(UTC).timestamp()


class _Keys:
    """API keys by digest, and whose they are."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._first: dict[bytes, Path] = {}
        self.by_digest: dict[bytes, Principal] = {}

    def add(self, path: Path, user: User, principal: Principal) -> None:
        for index, secret in enumerate(user.api_keys):
            here: Path = (*path, "api_keys", index)
            key = secret.get_secret_value()
            if self._sendable(here, key):
                self._keep(here, keys.digest(key), principal)

    def _sendable(self, path: Path, key: str) -> bool:
        if not key:
            self._source.error(path, "the key is empty", "set the variable, or remove the key")
            return False
        if re.fullmatch(r"[\x21-\x7e]{1,512}", key) is None:
            message = "a key is printable ASCII without spaces, at most 512 characters"
            self._source.error(path, message, "check the variable or file for a line break")
            return False
        if len(key) < _SHORT:
            message = f"the key is shorter than {_SHORT} characters and can be guessed"
            self._source.warn(path, message, "use a random one: openssl rand -hex 32")
        return True

    def _keep(self, path: Path, digest: bytes, principal: Principal) -> None:
        nodes = self._source.nodes(path)
        if nodes[-1].broken:
            return
        if digest in self.by_digest:
            line = self._source.line(self._first[digest])
            message = f"the same key is on line {line} already"
            self._source.error(path, message, "give every user a key of their own")
            return
        self._first[digest] = path
        self.by_digest[digest] = principal


def _anonymous(source: Source, file: File, roles: Roles) -> tuple[AnonymousAccess, ...]:
    spec = file.auth.anonymous
    if spec is None:
        return ()
    path: Path = ("auth", "anonymous")
    for index, role in enumerate(spec.roles):
        roles.known(role, (*path, "roles", index))
    if not spec.networks:
        source.error((*path, "networks"), "the list is empty", "list networks, or remove anonymous")
    if not all(is_private(network) for network in spec.networks):
        message = "anyone on these public networks may call without a credential"
        source.warn((*path, "networks"), message, "list private networks only")
    names = tuple(dict.fromkeys(spec.roles))
    principal = Principal(id=ANONYMOUS, email=ANONYMOUS, roles=names, access=roles.access(names))
    return (AnonymousAccess(spec.networks, principal),)


def _shown(source: Source, path: Path, text: str) -> str:
    """Text from the file for a message, unless it came from the environment."""
    return "(from the environment)" if source.nodes(path)[-1].outside else repr(printable(text))
