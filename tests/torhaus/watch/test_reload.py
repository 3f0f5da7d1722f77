"""The configuration file, changed in all the ways that editors and machines change files."""

import asyncio
import contextlib
import os
import threading
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from torhaus.config.load import load
from torhaus.watch.reload import EVERY, Reload


def text(port=8080, *servers):
    lines = [f"server: {{port: {port}}}", "auth: {local: {enabled: false}}"]
    if servers:
        lines.append("mcpServers:")
    lines += [f"  {name}: {{url: 'http://127.0.0.1:9/{name}'}}" for name in servers]
    return "\n".join(lines) + "\n"


class Watched:
    """A file that is watched. `swapped`: the names of the servers of each new version."""

    def __init__(self, path, read=None):
        self.path = path
        self.swapped = []
        self.reads = 0
        self._read = read
        self.reload = Reload(path, load(path, {}), self.read, self.swap)

    def read(self):
        self.reads += 1
        return load(self.path, {}) if self._read is None else self._read()

    def swap(self, loaded):
        self.swapped.append(sorted(loaded.rules.servers))

    async def until(self, true, seconds=60.0):
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, "it did not happen in time"
            await asyncio.sleep(0.01)


def story(tmp_path, play, read=None, name="torhaus.yml"):
    """Play with a file that is watched; what was logged meanwhile."""
    path = tmp_path / name
    path.write_text(text(8080, "one"))

    async def whole():
        watched = Watched(path, read)
        task = asyncio.create_task(watched.reload.run())
        try:
            async with asyncio.timeout(120):
                await play(watched)
            assert not task.done(), task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    with capture_logs() as logs:
        asyncio.run(whole())
    return [each for each in logs if each["event"].startswith("config.")]


def names(logs):
    """What happened; every version in this file also warns that nobody can call."""
    return [each["event"] for each in logs if each["event"] != "config.warning"]


# How files change


def written(path):
    path.write_text(text(8080, "two"))


def renamed(path):
    fresh = path.with_suffix(".new")
    fresh.write_text(text(8080, "two"))
    fresh.rename(path)


def removed_and_written(path):
    path.unlink()
    path.write_text(text(8080, "two"))


def renamed_with_the_old_time_and_size(path):
    """As `cp -p` and some deployment tools do."""
    before = path.stat()
    fresh = path.with_suffix(".new")
    fresh.write_text(text(8080, "two"))
    os.utime(fresh, ns=(before.st_atime_ns, before.st_mtime_ns))
    fresh.rename(path)


@pytest.mark.parametrize(
    "change", [written, renamed, removed_and_written, renamed_with_the_old_time_and_size]
)
def test_a_changed_file_is_put_in_force(change, tmp_path):
    async def play(watched):
        change(watched.path)
        await watched.until(lambda: watched.swapped)
        await asyncio.sleep(EVERY * 1.5)

        assert watched.swapped == [["two"]]  # and not again
        assert watched.reload.trouble is None

    assert names(story(tmp_path, play)) == ["config.reloaded"]


def test_a_link_that_points_elsewhere_is_followed(tmp_path):
    """As Kubernetes swaps a mounted configuration."""
    for number, server in ((1, "one"), (2, "two")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "torhaus.yml").write_text(text(8080, server))
    (tmp_path / "data").symlink_to("1")
    path = tmp_path / "data" / "torhaus.yml"

    async def play():
        watched = Watched(path)
        task = asyncio.create_task(watched.reload.run())
        (tmp_path / "next").symlink_to("2")
        (tmp_path / "next").rename(tmp_path / "data")
        await watched.until(lambda: watched.swapped)
        task.cancel()

        assert watched.swapped == [["two"]]

    asyncio.run(play())


def test_a_file_that_does_not_change_is_read_once_at_most(tmp_path):
    async def play(watched):
        await asyncio.sleep(EVERY * 3)

        assert (watched.reads, watched.swapped) == (0, [])

    assert story(tmp_path, play) == []


def test_a_file_that_is_written_slowly_ends_in_its_last_version(tmp_path):
    whole = text(8080, *(f"s{n}" for n in range(20)))

    async def play(watched):
        with watched.path.open("w") as stream:
            for start in range(0, len(whole), 40):
                stream.write(whole[start : start + 40])
                stream.flush()
                await asyncio.sleep(0.03)
        await watched.until(lambda: watched.swapped and len(watched.swapped[-1]) == 20)

        assert watched.reload.trouble is None

    story(tmp_path, play)


def test_a_change_while_the_file_is_read_is_read_as_well(tmp_path):
    began, go_on = threading.Event(), threading.Event()

    def read():
        loaded = load(tmp_path / "torhaus.yml", {})
        began.set()
        go_on.wait(60)
        return loaded

    async def play(watched):
        written(watched.path)
        await watched.until(began.is_set)
        watched.path.write_text(text(8080, "three"))
        go_on.set()
        await watched.until(lambda: watched.swapped[-1:] == [["three"]])

        assert watched.swapped == [["two"], ["three"]]

    story(tmp_path, play, read)


def test_calls_do_not_wait_while_the_file_is_read(tmp_path):
    began, go_on = threading.Event(), threading.Event()

    def read():
        began.set()
        go_on.wait(60)
        return load(tmp_path / "torhaus.yml", {})

    async def play(watched):
        watched.reload.ask()
        await watched.until(began.is_set)
        for _ in range(10):
            await asyncio.sleep(0.01)
        assert watched.swapped == []
        go_on.set()

        await watched.until(lambda: watched.swapped)

    story(tmp_path, play, read)


# Asked for


def test_a_signal_reads_the_file_although_it_looks_the_same(tmp_path):
    async def play(watched):
        watched.reload.ask()
        await watched.until(lambda: watched.swapped)

        assert watched.swapped == [["one"]]

    assert names(story(tmp_path, play)) == ["config.reloaded"]


def test_a_signal_while_the_file_is_read_reads_it_again(tmp_path):
    began, go_on = threading.Event(), threading.Event()

    def read():
        began.set()
        go_on.wait(60)
        return load(tmp_path / "torhaus.yml", {})

    async def play(watched):
        watched.reload.ask()
        await watched.until(began.is_set)
        watched.reload.ask()
        watched.reload.ask()
        go_on.set()
        await watched.until(lambda: len(watched.swapped) == 2)
        await asyncio.sleep(EVERY * 1.5)

        assert watched.reads == 2

    story(tmp_path, play, read)


# What is refused


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"server: {port: many}\n", "torhaus.yml:1"),
        (b"servr: {}\n", "servr"),
        (b"a: [1\n", "torhaus.yml"),
        (b"\xff\xfe", "not UTF-8"),
        (b"", "torhaus.yml"),
    ],
)
def test_a_wrong_file_is_refused_and_the_old_version_stays(content, said, tmp_path):
    async def play(watched):
        watched.path.write_bytes(content)
        await watched.until(lambda: watched.reads)
        if content:
            await watched.until(lambda: watched.reload.trouble)
            assert watched.swapped == []
            assert said in watched.reload.trouble
        written(watched.path)
        await watched.until(lambda: watched.swapped[-1:] == [["two"]])

        assert watched.reload.trouble is None

    logs = story(tmp_path, play)
    assert names(logs)[-1] == "config.reloaded"
    if content:
        assert names(logs)[0] == "config.refused"
        assert said in logs[0]["problems"]


def test_a_file_that_is_gone_changes_nothing_until_it_is_back(tmp_path):
    async def play(watched):
        watched.path.unlink()
        await asyncio.sleep(EVERY * 2.5)
        assert (watched.reads, watched.swapped) == (0, [])
        written(watched.path)
        await watched.until(lambda: watched.swapped)

        assert watched.swapped == [["two"]]

    story(tmp_path, play)


def test_a_file_that_is_gone_when_it_is_asked_for_is_refused(tmp_path):
    async def play(watched):
        watched.path.unlink()
        watched.reload.ask()
        await watched.until(lambda: watched.reload.trouble)
        assert "No such file" in watched.reload.trouble
        written(watched.path)

        await watched.until(lambda: watched.swapped)

    story(tmp_path, play)


def test_a_directory_in_its_place_is_refused(tmp_path):
    async def play(watched):
        watched.path.unlink()
        watched.path.mkdir()
        await watched.until(lambda: watched.reload.trouble)

        assert "cannot be read" in watched.reload.trouble

    story(tmp_path, play)


@pytest.mark.parametrize("where", ["read", "swap"])
def test_a_mistake_of_ours_does_not_end_the_watching(where, tmp_path):
    broken = True

    def read():
        if broken and where == "read":
            raise RuntimeError("a mistake")
        return load(tmp_path / "torhaus.yml", {})

    async def play(watched):
        nonlocal broken
        swap = watched.swap

        def breaking(loaded):
            if broken and where == "swap":
                raise RuntimeError("a mistake")
            swap(loaded)

        watched.reload._swap = breaking
        watched.reload.ask()
        await watched.until(lambda: watched.reload.trouble)
        assert "a mistake" not in watched.reload.trouble
        broken = False
        written(watched.path)
        await watched.until(lambda: watched.swapped)

        assert watched.reload.trouble is None

    logs = story(tmp_path, play, read)
    assert names(logs) == ["config.reload.failed", "config.reloaded"]
    assert str(logs[0]["exc_info"]) == "a mistake"


# What is said


def test_what_only_a_restart_can_change_is_said(tmp_path):
    async def play(watched):
        watched.path.write_text(text(9090, "one"))
        await watched.until(lambda: watched.swapped)
        watched.path.write_text(text(8080, "one", "two"))
        await watched.until(lambda: len(watched.swapped) == 2)

    logs = story(tmp_path, play)
    said = [each["after_restart"] for each in logs if each["event"] == "config.reloaded"]
    assert said == [["port"], None]
    versions = [each["version"] for each in logs if each["event"] == "config.reloaded"]
    assert len(set(versions)) == 2


def test_warnings_are_said_again(tmp_path):
    async def play(watched):
        watched.reload.ask()
        await watched.until(lambda: watched.swapped)

    logs = story(tmp_path, play)
    assert any("nobody can call" in each.get("warning", "") for each in logs)


def test_no_value_of_the_file_is_in_what_is_said(tmp_path):
    wrong = "users:\n  - email: a@b.example\n    api_keys: [short-s3cret]\n    rolle: x\n"

    async def play(watched):
        watched.path.write_text(wrong)
        await watched.until(lambda: watched.reload.trouble)

        assert "s3cret" not in watched.reload.trouble

    logs = story(tmp_path, play)
    assert "s3cret" not in str(logs)


def test_reading_once_tells_whether_it_is_in_force(tmp_path):
    path = Path(tmp_path / "torhaus.yml")
    path.write_text(text(8080, "one"))

    async def play():
        watched = Watched(path)
        assert await watched.reload.reload() is True
        os.truncate(path, 1)
        assert await watched.reload.reload() is False
        assert watched.swapped == [["one"]]

    asyncio.run(play())
