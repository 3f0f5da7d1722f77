"""The words a file's rules can use: its servers, roles, groups, people; actions, types, globs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from torhaus.config import things
from torhaus.config.lent import is_shipped
from torhaus.config.problems import FaultError
from torhaus.config.schema import File
from torhaus.config.tree import MANY, Path, Source, meant, nearest, printable
from torhaus.model.access import Condition, Glob, Permission
from torhaus.model.servers import Server
from torhaus.policy import permission
from torhaus.policy.conditions import compile_condition
from torhaus.policy.globs import compile_glob
from torhaus.policy.names import normal
from torhaus.policy.permission import ACTIONS
from torhaus.policy.tables import TYPES

T = TypeVar("T")

# So alike that one is a slip of the other: `develper`. For names that nothing has to define.
_SLIP = 0.85


class Stated(msgspec.Struct, frozen=True):
    """A permission and where the file has it, for doubts about it."""

    path: Path
    permission: Permission
    denies: bool


class Words:
    """What is known, and what is said about words that are not. Shared by all rules of a file."""

    def __init__(self, source: Source, file: File, servers: Mapping[str, Server]) -> None:
        self.source = source
        self.servers = servers
        self.zone = file.server.timezone
        written = dict.fromkeys([*file.roles, *(rule.role for rule in file.accessControl)])
        self.roles = tuple({**written, **dict.fromkeys(file.every_role())})
        self._writes_roles = bool(written)
        self.groups = tuple(
            dict.fromkeys([*file.groups, *(name for user in file.users for name in user.groups)])
        )
        guests = (grant.user for grant in file.temporary_access)
        self.users = tuple(dict.fromkeys([*(user.email for user in file.users), *guests]))
        self._own_types = frozenset(_own_types(file))
        self.types = TYPES | self._own_types
        self._roles, self._groups = frozenset(self.roles), frozenset(self.groups)
        self._users = frozenset(self.users)
        self._mentioned = frozenset(_mentioned(file))
        self._globs: dict[str, Glob] = {}
        self.stated: list[Stated] = []
        self._strangers = 0

    def role(self, name: str, path: Path) -> bool:
        """Whether there is such a role; a role that is used and defined nowhere is an error."""
        if name in self._roles:
            return True
        fix = self.fix(name, path, self.roles, "define it under roles or accessControl")
        self.source.error(path, f"no such role: {self.shown(path, name)}", fix)
        return False

    def is_role(self, name: str) -> bool:
        return name in self._roles

    def is_group(self, name: str) -> bool:
        return name in self._groups

    def is_user(self, name: str) -> bool:
        return name.lower() in self._users

    def is_somebody(self, name: str) -> bool:
        return self.is_role(name) or self.is_group(name) or self.is_user(name)

    def names_somebody(self, name: str, path: Path) -> bool:
        """Whether a block's key is a user, role or group. What it means otherwise is reported."""
        if self.is_somebody(name):
            return True
        if "@" in name and self._users:
            fix = self.fix(name, path, self.users, "add this user under users")
            self.source.error(path, f"no such user: {self.shown(path, name)}", fix)
            return False
        slip = nearest(name, (*self.roles, *self.groups), _SLIP)
        if slip is not None:
            message = f"no such role or group: {self.shown(path, name)}"
            self.source.error(path, message, f"did you mean {slip}?")
            return False
        self._strangers += 1
        if self._strangers > MANY:
            self.source.error(path, "too many blocks match nobody", "define the roles and groups")
        message = f"matches nobody: no role, group or user is called {self.shown(path, name)}"
        self.source.warn(path, message, "define the role or group, or remove this")
        return False

    def member(self, kind: str, name: str, path: Path) -> None:
        """Report a role, user or group that a policy names and nothing defines."""
        if name in {"role": self._roles, "user": self._users, "group": self._groups}[kind]:
            return
        known = {"role": self.roles, "user": self.users, "group": self.groups}[kind]
        message = f"no such {kind}: {self.shown(path, name)}"
        fix = self.fix(name, path, known, f"define it under {kind}s")
        # Where a file defines none at all, there is nobody a rule could fail to hold back.
        some = self._writes_roles if kind == "role" else known
        report = self.source.error if some or kind == "group" else self.source.warn
        report(path, message, fix)

    def server(self, name: str, path: Path, *, holds_back: bool) -> bool:
        """Whether a server is configured, or `*`.

        An unknown one in a rule that holds callers back is an error, unless it may yet come: one
        of a shipped table, or one that other rules name.
        """
        if name == "*" or name in self.servers:
            return True
        if not holds_back and len(self.source.warnings) >= MANY:
            return False
        message = f"no server {self.shown(path, name)} is configured"
        fix = self.fix(name, path, tuple(self.servers), "add the server, or remove this")
        known = holds_back and self._slip(name) is not None
        may_come = not known and (not holds_back or name in self._mentioned or is_shipped(name))
        report = self.source.warn if may_come else self.source.error
        report(path, message, fix)
        return False

    def _slip(self, name: str) -> str | None:
        """The configured server that is called so, but for case."""
        folded = name.casefold()
        return next((each for each in self.servers if each.casefold() == folded), None)

    def permission(self, text: str, rule: str) -> Permission:
        """`server:type:action` and its other spellings. Raises ValueError."""
        parts = text.split(":") if ":" in text else text.split(".")
        if len(parts) != 3 or parts[1] not in self._own_types:
            return permission.parse(text, rule)
        whole = permission.parse(f"{parts[0]}:*:{parts[2]}", rule)
        return Permission(whole.server, parts[1], whole.action, rule)

    def in_block(self, server: str, text: str, rule: str) -> Permission:
        """`action:type` on one server; `action` alone is every type. Raises FaultError."""
        parts = text.split(":") if ":" in text else text.split(".")
        action, kind = parts[0], parts[1] if len(parts) == 2 else "*"
        if len(parts) > 2 or (len(parts) == 2 and action == server):
            message = f"{printable(text)!r} names the server again"
            raise FaultError(message, "write action:type here, such as read:issues")
        if action in self.types and action not in ACTIONS:
            message = f"in {printable(text)!r} the action must come first"
            raise FaultError(message, f"write {kind if kind in ACTIONS else 'read'}:{action}")
        self.action(action)
        self.type(kind)
        return Permission(server, kind, action, rule)

    def action(self, word: str) -> None:
        """Raises FaultError when nothing is called so."""
        if word not in ACTIONS and word != "*":
            fix = _did_you_mean(word, sorted(ACTIONS)) or f"use {', '.join(sorted(ACTIONS))} or *"
            raise FaultError(f"{printable(word)!r} is not an action", fix)

    def type(self, word: str) -> None:
        """Raises FaultError when no tool is about such a thing."""
        if word not in self.types and word != "*":
            fix = _did_you_mean(word, sorted(self.types)) or (
                "use * for every type, or classify tools with it under mcpServers.NAME"
            )
            raise FaultError(f"{printable(word)!r} is not a type of thing", fix)

    def glob(self, text: str) -> Glob:
        """Raises ValueError when it is too long or has too many stars."""
        found = self._globs.get(text)
        if found is None:
            found = self._globs[text] = compile_glob(text)
        return found

    def globs(self, path: Path, kind: str, texts: Sequence[str]) -> tuple[Glob, ...]:
        """Those over things of a kind that can be read; what is wrong with others is reported."""
        found = (
            self.read(here, partial(self._thing, kind, text))
            for here, text in self.each(path, texts)
        )
        return tuple(glob for glob in found if glob is not None)

    def _thing(self, kind: str, text: str) -> Glob:
        found = self.glob(text)
        things.check(kind, text)
        return found

    def read_globs(self, texts: Iterable[str]) -> list[Glob]:
        """Those that could be read before."""
        return [self._globs[text] for text in texts if text in self._globs]

    def tools(self, path: Path, texts: Sequence[str]) -> list[tuple[str | None, Glob]]:
        """As `globs`, of tools."""
        found = (self.read(here, partial(self.tool, text)) for here, text in self.each(path, texts))
        return [tool for tool in found if tool is not None]

    def tool(self, text: str) -> tuple[str | None, Glob]:
        """(server or None, glob over normal names): `delete_*`, or `github.delete_*`."""
        for mark in (":", "."):
            head, found, tail = text.partition(mark)
            if found and head in self.servers:
                return head, self.glob(normal(tail))
            slip = nearest(head, tuple(self.servers), _SLIP) if found else None
            if slip is not None:
                message = f"no server {printable(head)!r} is configured"
                raise FaultError(message, f"did you mean {slip}{mark}{printable(tail)}?")
        return None, self.glob(normal(text))

    def when(self, text: str | None, path: Path, zone: str | None = None) -> Condition | None:
        """A compiled condition; what is wrong with it is reported. `zone`: whose clock counts."""
        if text is None:
            return None
        clock = ZoneInfo(zone or self.zone)
        return self.read((*path, "when"), lambda: compile_condition(text, clock))

    def read(self, path: Path, reading: Callable[[], T]) -> T | None:
        """What `reading` returns, or None and its ValueError as a problem at `path`."""
        try:
            return reading()
        except FaultError as error:
            said, fix = error.message, error.fix
        except ValueError as error:
            said, fix = str(error), "correct it"
        if self.outside(path):
            said, fix = "what the environment holds is no such word", "check the variable"
        self.source.error(path, printable(said), printable(fix))
        return None

    def each(self, path: Path, values: Sequence[str]) -> Iterable[tuple[Path, str]]:
        """Values with their paths; one value alone has its key's."""
        if not values:
            return
        many = isinstance(self.source.nodes(path)[-1].value, list)
        for index, value in enumerate(values):
            yield ((*path, index) if many else path), value

    def list_at(self, path: Path, key: str) -> Path:
        """Where the list is that a block has under `key`, or that stands for the whole block."""
        return (*path, key) if isinstance(self.source.nodes(path)[-1].value, dict) else path

    def shown(self, path: Path, text: str) -> str:
        """Text from the file for a message, unless it came from the environment."""
        return "(from the environment)" if self.outside(path) else repr(printable(text))

    def outside(self, path: Path) -> bool:
        """Whether something at this path or below came from the environment."""
        nodes = self.source.nodes(path)
        return len(nodes) == len(path) + 1 and any(node.outside for _, node in nodes[-1].walk())

    def fix(self, name: str, path: Path, known: Sequence[str], otherwise: str) -> str:
        """What to do about an unknown name."""
        close = None if self.outside(path) else meant(name, known)
        return f"did you mean {close}?" if close else otherwise


def _did_you_mean(word: str, known: Sequence[str]) -> str | None:
    close = meant(word, known)
    return f"did you mean {close}?" if close else None


def _own_types(file: File) -> Iterable[str]:
    """Types that servers' own classifications name."""
    for spec in file.mcpServers.values():
        if spec.classification is not None:
            rows = spec.classification.tools.values()
            yield from (row.resource for row in rows if row.resource != "*")
            for pair in spec.classification.resource_parents.items():
                yield from pair


def _mentioned(file: File) -> Iterable[str]:
    """Servers that allowing rules name, configured or not."""
    texts = [text for role in file.roles.values() for text in role.permissions]
    texts += [text for rule in file.accessControl for text in rule.allow]
    for text in texts:
        yield text.replace(".", ":").partition(":")[0]
