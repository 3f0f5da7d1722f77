"""`groups`, and `groups` of users: who is in which, and what roles that gives."""

from collections.abc import Iterable

from torhaus.config.schema import File
from torhaus.config.tree import Path
from torhaus.config.words import Words


class Membership:
    """Group by group and user by user. Mistakes go to the source's problems."""

    def __init__(self, words: Words, file: File) -> None:
        self._words = words
        self._roles = {name: group.roles for name, group in file.groups.items()}
        # Dicts, as sets that keep their order.
        self._groups: dict[str, dict[str, None]] = {}
        self._members: dict[str, dict[str, None]] = {name: {} for name in words.groups}
        for name, group in file.groups.items():
            path: Path = ("groups", name)
            for here, role in words.each((*path, "roles"), group.roles):
                words.role(role, here)
            self._listed(path, name, group.members)
        for index, user in enumerate(file.users):
            self._joined(("users", index, "groups"), user.email, user.groups)

    def of(self, email: str) -> tuple[str, ...]:
        """A user's groups."""
        return tuple(self._groups.get(email, ()))

    def roles(self, email: str) -> tuple[str, ...]:
        """The roles that a user's groups give him."""
        return tuple(role for name in self.of(email) for role in self._roles.get(name, ()))

    def everyone(self) -> dict[str, tuple[str, ...]]:
        """Group -> addresses."""
        return {name: tuple(members) for name, members in self._members.items()}

    def _listed(self, path: Path, name: str, members: Iterable[str]) -> None:
        node = self._words.source.nodes(path)[-1]
        below = path if isinstance(node.value, list) else (*path, "members")
        for here, email in self._words.each(below, tuple(members)):
            self._words.member("user", email, here)
            self._add(email, name)

    def _joined(self, path: Path, email: str, groups: Iterable[str]) -> None:
        for here, name in self._words.each(path, tuple(groups)):
            if name not in self._roles and self._roles:
                fix = self._words.fix(name, here, tuple(self._roles), "define it under groups")
                message = f"no such group: {self._words.shown(here, name)}"
                self._words.source.error(here, message, fix)
            self._add(email, name)

    def _add(self, email: str, name: str) -> None:
        self._groups.setdefault(email, {})[name] = None
        self._members[name][email] = None
