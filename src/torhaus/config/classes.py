"""`mcpServers.NAME.classification` compiled: rows of the file over rows of the shipped table."""

from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.config.classification import Classification, ToolRow
from torhaus.config.servers import ServerSpec
from torhaus.config.tree import Path, Source, printable
from torhaus.model.access import Glob
from torhaus.model.servers import ToolClass
from torhaus.policy import tables
from torhaus.policy.globs import compile_glob
from torhaus.policy.known import build
from torhaus.policy.known import spec as known
from torhaus.policy.names import normal

Selectors = tuple[tuple[Glob, ToolClass], ...]


class Classes(msgspec.Struct, frozen=True):
    """The parts of `Server` that say what its tools do."""

    classes: Mapping[str, ToolClass]
    selectors: Selectors = ()
    parents: Mapping[str, str] = {}


def classes(source: Source, name: str, spec: ServerSpec) -> Classes:
    """What the tools of one server do. Mistakes go to `source.problems`."""
    shipped, parents = tables.shipped(name, spec.url, spec.command, spec.args)
    if spec.classification is None:
        return Classes(shipped, (), parents)
    return _Reading(source, name, spec.classification).over(shipped, parents)


class _Reading:
    def __init__(self, source: Source, name: str, file: Classification) -> None:
        self._source = source
        self._path: Path = ("mcpServers", name, "classification")
        self._file = file
        self._words = known.ServerSpec(
            resource_parents=file.resource_parents,
            project_args=file.project_args,
            pinned_args=file.pinned_args,
        )

    def over(self, shipped: Mapping[str, ToolClass], parents: Mapping[str, str]) -> Classes:
        self._check_words()
        known_rows = shipped
        if self._file.extends == "none":
            shipped, parents = {}, {}
        found = {name: self._pinned(row) for name, row in shipped.items()}
        selectors = []
        for name, row in self._file.tools.items():
            if "*" in name or "?" in name:
                selectors += self._selector(name, row)
        for name in found:
            # Rows of the file go before the table's, and so do those with globs.
            chosen = next((each for glob, each in selectors if glob.pattern.fullmatch(name)), None)
            found[name] = found[name] if chosen is None else chosen
        for name, row in self._file.tools.items():
            if not ("*" in name or "?" in name):
                built = self._row(name, row, known_rows.get(normal(name)))
                found.update({} if built is None else {normal(name): built})
        return Classes(found, tuple(selectors), {**parents, **self._file.resource_parents})

    def _check_words(self) -> None:
        try:
            build.parse({"resource_parents": self._words.resource_parents})
        except ValueError as error:
            self._say(("resource_parents",), error)
        try:
            build.pinned(self._words)
        except ValueError as error:
            self._say(("pinned_args",), error)

    def _selector(self, name: str, row: ToolRow) -> list[tuple[Glob, ToolClass]]:
        built = self._row(name, row, None)
        try:
            glob = compile_glob(normal(name))
        except ValueError as error:
            self._say(("tools", name), error)
            return []
        return [] if built is None else [(glob, built)]

    def _row(self, name: str, row: ToolRow, over: ToolClass | None) -> ToolClass | None:
        try:
            spec = msgspec.convert(_given(row), known.ToolSpec)
            return build.build(spec, self._words, source="config", over=over)
        except (ValueError, msgspec.ValidationError) as error:
            self._say(("tools", name), error)
        return None

    def _pinned(self, row: ToolClass) -> ToolClass:
        """The shipped row, with the arguments that the file pins."""
        if not self._file.pinned_args:
            return row
        pins = {**dict(row.pinned), **self._file.pinned_args}
        return msgspec.structs.replace(row, pinned=tuple(pins.items()))

    def _say(self, path: Path, error: Exception) -> None:
        here = (*self._path, *path)
        outside = any(node.outside for _, node in self._source.nodes(here)[-1].walk())
        said = "what the environment holds does not fit" if outside else printable(str(error))
        self._source.error(here, said, "correct it; docs/configuration.md lists the words")


def _given(row: ToolRow) -> dict[str, Any]:
    return row.model_dump(exclude_unset=True)
