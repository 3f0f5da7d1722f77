"""Secrets that the file names and others keep: `file:`, `vault:`, `aws-sm:`, `exec:`.

Only what stands in the file itself is a reference: what a variable holds is never read again. The
same reference is asked for once, and again after a while; an answer that does not come then leaves
the one before in force.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path as FilePath
from threading import Lock

import msgspec

from torhaus.config.awssecrets import aws_secret
from torhaus.config.commandsecrets import command_secret
from torhaus.config.filesecrets import file_secret
from torhaus.config.interpolate import FILES
from torhaus.config.problems import FaultError
from torhaus.config.source import clean
from torhaus.config.tree import Node, Part, Path, Source
from torhaus.config.vaultsecrets import vault_secret

REFRESH = 300.0
"""Seconds for which an answer is believed."""
MAX_SECRET = 64 * 1024

Fetch = Callable[[str, Mapping[str, str], FilePath], str]
"""The secret behind what stands after the colon. Raises FaultError, without a word of it."""
SCHEMES: Mapping[str, Fetch] = {
    "file": file_secret,
    "vault": vault_secret,
    "aws-sm": aws_secret,
    "exec": command_secret,
}

# Where a value is a secret, or may be one; `*` is any one key or index.
PLACES: tuple[tuple[Part, ...], ...] = (
    *((*path[:-1], str(path[-1]).removesuffix("_file")) for path in FILES),
    ("mcpServers", "*", "env", "*"),
    ("mcpServers", "*", "headers", "*"),
    ("users", "*", "api_keys", "*"),
)


class _Known(msgspec.Struct, frozen=True):
    """`trouble`: why it could not be asked for again; the value is an older one."""

    value: str
    at: float
    trouble: FaultError | None = None


class References:
    """Any thread may ask; the answers of one run of the program. `clock`: monotonic."""

    def __init__(
        self,
        environ: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
        schemes: Mapping[str, Fetch] = SCHEMES,
    ) -> None:
        self._environ = environ
        self._clock = clock
        self._schemes = schemes
        self._known: dict[tuple[str, str], _Known] = {}
        self._turn = Lock()

    def marked(self, source: Source) -> dict[Path, Node]:
        """What the file itself has written as references, before variables are filled in."""
        return {
            path: node
            for path, node in source.root.walk()
            if isinstance(node.value, str)
            and node.value.partition(":")[0] in self._schemes
            and ":" in node.value
            and any(_matches(path, place) for place in PLACES)
        }

    def fill(self, source: Source, marked: Mapping[Path, Node]) -> None:
        """Put the secrets in their places. Mistakes go to `source.problems`, with their lines."""
        base = FilePath(source.name).absolute().parent
        for path, node in marked.items():
            if node.broken or not isinstance(node.value, str):
                continue
            if node.outside and node.value.startswith("exec:"):
                text = "a command must stand in the file as it is, without variables"
                source.error(path, text, "write its words, and give it its environment")
                node.broken = True
                continue
            self._fill(source, path, node, (node.value, base))

    def _fill(self, source: Source, path: Path, node: Node, asked: tuple[str, FilePath]) -> None:
        try:
            found = self._of(*asked)
        except FaultError as error:
            source.error(path, error.message, error.fix)
            node.broken = True
            return
        if found.trouble is not None:
            text = f"{found.trouble.message}; the value of before stays"
            source.warn(path, text, found.trouble.fix)
        node.value, node.outside = found.value, True

    def stale(self) -> bool:
        """Ask again for what is old; whether anything is another one now."""
        old = [key for key, known in self._known.items() if self._old(known)]
        before = {key: self._known[key].value for key in old}
        for text, base in old:
            self._of(text, FilePath(base))
        return any(self._known[key].value != value for key, value in before.items())

    def _old(self, known: _Known) -> bool:
        return known.at + REFRESH <= self._clock()

    def _of(self, text: str, base: FilePath) -> _Known:
        key = (text, str(base))
        with self._turn:
            known = self._known.get(key)
            if known is not None and not self._old(known):
                return known
            scheme, _, what = text.partition(":")
            try:
                found = _Known(
                    _checked(self._schemes[scheme](what, self._environ, base)), self._clock()
                )
            except FaultError as error:
                if known is None:
                    raise
                found = _Known(known.value, self._clock(), error)
            self._known[key] = found
            return found


def _checked(value: str) -> str:
    """One line break at the end is dropped, as of a file."""
    value = value.removesuffix("\n").removesuffix("\r")
    if not value or len(value) > MAX_SECRET or not clean(value):
        raise FaultError("the secret is empty, too large, or no text", "store another one there")
    return value


def _matches(path: Path, pattern: tuple[Part, ...]) -> bool:
    return len(path) == len(pattern) and all(
        p in ("*", part) for part, p in zip(path, pattern, strict=True)
    )
