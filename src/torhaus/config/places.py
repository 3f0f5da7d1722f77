"""Where rules, users and groups stand in the file, for people who ask why."""

from collections.abc import Iterable, Mapping

import msgspec

from torhaus.config.schema import File
from torhaus.config.tree import Path, Source
from torhaus.config.words import Stated


class Places(msgspec.Struct, frozen=True):
    """Lines of one file. `rules`: by the names that verdicts carry, and by what they begin with.

    `named`: by `user ADDRESS` and `group NAME`.
    """

    file: str = ""
    rules: Mapping[str, int] = {}
    named: Mapping[str, int] = {}

    def rule(self, name: str) -> str:
        """`FILE:LINE` of a rule; of the role or block that it is part of; empty when unknown."""
        line = self.rules.get(name) or self.rules.get(name.rpartition(": ")[0])
        line = line or self.rules.get(name.partition(": ")[0])
        return "" if line is None else f"{self.file}:{line}"

    def every(self) -> Mapping[str, str]:
        """`FILE:LINE` of users and groups."""
        return {name: f"{self.file}:{line}" for name, line in self.named.items()}


NOWHERE = Places()


def places(source: Source, file: File, stated: Iterable[Stated]) -> Places:
    """`stated`: the permissions of the file, and where it has them."""
    rules: dict[str, int] = {}

    def at(name: str, path: Path) -> None:
        rules.setdefault(name, source.line(path))

    for each in stated:
        at(each.permission.rule, each.path)
    for name, role in file.roles.items():
        for index, (word, _) in enumerate(role.restrictions):
            at(f"{name}: {word}", ("roles", name, "restrictions", index))
        at(name, ("roles", name))
    for index, entry in enumerate(file.accessControl):
        at(entry.role, ("accessControl", index))
    for path, server, blocks in file.blocks():
        for whom in blocks:
            at(f"{server} block of {whom}", (*path, whom))
    for index, policy in enumerate(file.policies):
        at(policy.name, ("policies", index))
    named = {f"user {u.email}": source.line(("users", i)) for i, u in enumerate(file.users)}
    named |= {f"group {name}": source.line(("groups", name)) for name in file.groups}
    return Places(source.name, rules, named)
