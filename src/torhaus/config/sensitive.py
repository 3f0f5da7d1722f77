"""`data_classes` compiled: what is out of bounds for whom a restriction keeps from it."""

from collections.abc import Iterable
from functools import partial

from torhaus.config.access import ALL, KINDS
from torhaus.config.classification import DataClass, DataClasses
from torhaus.config.rulings import Ruling
from torhaus.config.tree import Path
from torhaus.config.words import Words
from torhaus.model.access import Bound, Effect, Glob, Policy
from torhaus.model.redaction import Pattern
from torhaus.redact.patterns import MAX_PATTERNS, checked


class Data:
    """The file's data classes. Mistakes in them are reported once, here."""

    def __init__(self, words: Words, spec: DataClasses) -> None:
        self._words = words
        self._bounds: dict[str, list[tuple[str, tuple[Glob, ...]]]] = {}
        self._tools: dict[str, list[tuple[str | None, Glob]]] = {}
        for name in ("sensitive", "personal", "admin"):
            self._read(name, getattr(spec, name))
        self.patterns = tuple(self._patterns(spec))

    def outside(self, names: Iterable[str], rule: str) -> list[Ruling]:
        """Rulings under which everything in these classes is out of bounds."""
        found = []
        for name in names:
            bounds = tuple(
                _all(kind, rule)
                if any(glob.text in ALL for glob in globs)
                else Bound(kind=kind, rule=rule, deny=globs)
                for kind, globs in self._bounds[name]
            )
            if bounds:
                found.append(Ruling(bounds=bounds))
            found += self._without(self._tools[name], rule)
        return found

    def _without(self, tools: list[tuple[str | None, Glob]], rule: str) -> Iterable[Ruling]:
        for server in dict.fromkeys(server for server, _ in tools):
            globs = tuple(glob for on, glob in tools if on == server)
            policy = Policy(name=rule, effect=Effect.DENY, tools=globs)
            yield Ruling(server=server or "*", policies=(policy,))

    def _read(self, name: str, data: DataClass) -> None:
        path: Path = ("data_classes", name)
        self._bounds[name] = [
            (kind, globs)
            for kind in KINDS
            if (globs := self._words.globs((*path, kind), kind, getattr(data, kind)))
        ]
        self._tools[name] = self._words.tools((*path, "tools"), data.tools)

    def _patterns(self, spec: DataClasses) -> Iterable[Pattern]:
        if len(spec.patterns) > MAX_PATTERNS:
            message = f"there are more than {MAX_PATTERNS} patterns"
            self._words.source.error(("data_classes", "patterns"), message, "put some together")
            return
        for name, text in spec.patterns.items():
            pattern = Pattern(name, text)
            path: Path = ("data_classes", "patterns", name)
            if self._words.read(path, partial(checked, pattern)) is not None:
                yield pattern


def _all(kind: str, rule: str) -> Bound:
    """`"*"` is everything, also of kinds whose names have several parts."""
    return Bound(kind=kind, rule=rule, allow=())
