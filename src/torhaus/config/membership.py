"""`groups`, and `groups` of users: who is in which, and what roles that gives."""

from collections.abc import Iterable, Sequence

from torhaus.config.schema import File
from torhaus.config.tree import Path
from torhaus.config.words import Words
from torhaus.model.person import FILE, Team

Given = tuple[Sequence[str], Sequence[str]]
"""Roles, and the only servers where they count; none named for everywhere."""


def gathered(
    own: Iterable[str], given: Iterable[Given]
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Roles that count everywhere, and those that count on some servers only -> these."""
    everywhere = dict.fromkeys(own)
    some: dict[str, dict[str, None]] = {}
    for roles, servers in given:
        for role in roles:
            if servers:
                some.setdefault(role, {}).update(dict.fromkeys(servers))
            else:
                everywhere[role] = None
    limited = {role: tuple(on) for role, on in some.items() if role not in everywhere}
    return tuple(everywhere), limited


class Membership:
    """Group by group and user by user. Mistakes go to the source's problems."""

    def __init__(self, words: Words, file: File) -> None:
        self._words = words
        self._file = file.groups
        # Dicts, as sets that keep their order.
        self._groups: dict[str, dict[str, None]] = {}
        self._members: dict[str, dict[str, None]] = {name: {} for name in words.groups}
        for name, group in file.groups.items():
            path: Path = ("groups", name)
            for here, role in words.each((*path, "roles"), group.roles):
                words.role(role, here)
            for here, server in words.each((*path, "servers"), group.servers):
                words.server(server, here, holds_back=True)
            self._listed(path, name, group.members)
        for index, user in enumerate(file.users):
            self._joined(("users", index, "groups"), user.email, user.groups)

    def of(self, email: str) -> tuple[str, ...]:
        """A user's groups."""
        return tuple(self._groups.get(email, ()))

    def given(self, email: str) -> list[Given]:
        """What a user's groups give him."""
        return [(each.roles, each.servers) for each in map(self._team, self.of(email))]

    def everyone(self) -> dict[str, tuple[str, ...]]:
        """Group -> addresses."""
        return {name: tuple(members) for name, members in self._members.items()}

    def teams(self) -> tuple[Team, ...]:
        """The groups, with what they give."""
        return tuple(map(self._team, self._members))

    def _team(self, name: str) -> Team:
        said = self._file.get(name)
        if said is None:  # users name it, and nothing defines it
            return Team(name=name, owner=FILE)
        return Team(name=name, owner=FILE, roles=said.roles, servers=said.servers)

    def _listed(self, path: Path, name: str, members: Iterable[str]) -> None:
        node = self._words.source.nodes(path)[-1]
        below = path if isinstance(node.value, list) else (*path, "members")
        for here, email in self._words.each(below, tuple(members)):
            self._words.member("user", email, here)
            self._add(email, name)

    def _joined(self, path: Path, email: str, groups: Iterable[str]) -> None:
        for here, name in self._words.each(path, tuple(groups)):
            if name not in self._file and self._file:
                fix = self._words.fix(name, here, tuple(self._file), "define it under groups")
                message = f"no such group: {self._words.shown(here, name)}"
                self._words.source.error(here, message, fix)
            self._add(email, name)

    def _add(self, email: str, name: str) -> None:
        self._groups.setdefault(email, {})[name] = None
        self._members[name][email] = None
