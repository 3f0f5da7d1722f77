"""Small disks, full disks and broken disks, for a gateway's audit log."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

BLOCK = 4096


def mounted(*words: str) -> None:
    """Runs mount, or skips the test where that is not possible."""
    try:
        done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip(f"file systems cannot be mounted here: {done.stderr.strip()}")


def let_go(where: Path) -> None:
    subprocess.run(["umount", "-l", str(where)], check=True, capture_output=True)


class SmallDisk:
    """A file system of its own, in memory, that can be filled and emptied."""

    def __init__(self, where: Path) -> None:
        self._filler = where / "filler"

    def fill(self) -> None:
        with self._filler.open("ab", buffering=0) as stream, suppress(OSError):
            while True:
                stream.write(bytes(BLOCK))

    def make_room(self) -> None:
        self._filler.unlink()


@contextmanager
def small_disk(where: Path) -> Iterator[SmallDisk]:
    where.mkdir(parents=True)
    mounted("-t", "tmpfs", "-o", "size=512k,mode=700", "torhaus-test", str(where))
    try:
        yield SmallDisk(where)
    finally:
        let_go(where)


class BreakingDisk:
    """One that turns read-only while it is in use, as ext4 does after an error of the device."""

    def __init__(self, where: Path, image: Path) -> None:
        self._where = where
        self._image = image

    def fail(self) -> None:
        mounted("-o", "remount,abort", str(self._where))

    def repair(self) -> None:
        """A copy takes its place, as a new device would: whoever has a file open has the old one.

        There is no other way: ext4 takes nothing any more until nobody has a file of it open.
        """
        copy = self._image.with_name("copy")
        copy.write_bytes(self._image.read_bytes())
        let_go(self._where)
        mounted("-o", "loop", str(copy), str(self._where))


@contextmanager
def breaking_disk(where: Path, image: Path) -> Iterator[BreakingDisk]:
    where.mkdir(parents=True)
    with image.open("wb") as stream:
        stream.truncate(8 * 1024 * 1024)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("there is no mkfs.ext4 here")
    mounted("-o", "loop", str(image), str(where))
    try:
        yield BreakingDisk(where, image)
    finally:
        let_go(where)
