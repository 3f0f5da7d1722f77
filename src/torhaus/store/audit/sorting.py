"""Puts more lines in order than fit into memory: sorted runs in files, merged."""

import heapq
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

MOST = 32 * 1024 * 1024
"""Bytes of one run."""

_FAN_IN = 128
"""Files merged at once: a process has only so many open."""


class Sorting:
    """Lines come in with keys, then all of them go out in the order of these.

    `spill`: a directory of its own for the runs; the caller removes it.
    """

    def __init__(self, spill: Path, most: int = MOST) -> None:
        self._spill = spill
        self._most = most
        self._run: list[bytes] = []
        self._size = 0
        self._files: list[Path] = []
        self._made = 0

    def add(self, key: str, line: bytes) -> None:
        """`line` is one; tabs and line breaks in `key` count as blanks."""
        plain = key.encode("utf-8", "replace").replace(b"\t", b" ").replace(b"\n", b" ")
        entry = b"%s\t%s\n" % (plain, line)
        self._run.append(entry)
        self._size += len(entry)
        if self._size >= self._most:
            self._put_down()

    def lines(self) -> Iterator[bytes]:
        """All lines in order, without line breaks."""
        while len(self._files) > _FAN_IN:
            self._merge(self._files[:_FAN_IN])
        self._run.sort()
        with ExitStack() as stack:
            runs = [stack.enter_context(path.open("rb")) for path in self._files]
            for entry in heapq.merge(*runs, self._run):
                yield entry[entry.index(b"\t") + 1 : -1]

    def _put_down(self) -> None:
        self._run.sort()
        with self._fresh().open("xb") as stream:
            stream.writelines(self._run)
        self._run = []
        self._size = 0

    def _merge(self, paths: list[Path]) -> None:
        target = self._fresh()
        with ExitStack() as stack:
            runs = [stack.enter_context(path.open("rb")) for path in paths]
            stack.enter_context(target.open("xb")).writelines(heapq.merge(*runs))
        for path in paths:
            path.unlink()
            self._files.remove(path)

    def _fresh(self) -> Path:
        self._made += 1
        path = self._spill / f"run-{self._made}"
        self._files.append(path)
        return path
