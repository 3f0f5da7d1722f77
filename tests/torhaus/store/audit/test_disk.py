import os
import stat
from pathlib import Path

import pytest

from torhaus.store.audit.disk import cut_torn, last_line, plain, prepare, put, write


@pytest.mark.parametrize(
    ("content", "last"),
    [
        (b"", b""),
        (b"one\n", b"one\n"),
        (b"one\ntwo\n", b"two\n"),
        (b"one\n\n", b"\n"),
        (b"one\n" + b"x" * 200_000 + b"\n", b"x" * 200_000 + b"\n"),
    ],
)
def test_the_last_line_is_found_from_the_end(tmp_path: Path, content: bytes, last: bytes):
    fd = os.open(tmp_path / "a", os.O_RDWR | os.O_CREAT)
    try:
        write(fd, content)

        assert last_line(fd, len(content)) == last
        assert cut_torn(fd, tmp_path / "a") == 0
    finally:
        os.close(fd)


def test_directories_are_made_for_their_owner_alone(tmp_path: Path):
    prepare(tmp_path / "a" / "b")
    prepare(tmp_path / "a" / "b")

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


def test_only_a_plain_file_is_opened_to_be_read(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"text")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")

    with os.fdopen(plain(tmp_path / "file"), "rb") as stream:
        assert stream.read() == b"text"
    for name in ("link", "pipe", ".", "missing"):
        with pytest.raises(OSError, match=r"plain file|symbolic links|No such file"):
            plain(tmp_path / name)


def test_a_file_is_replaced_whole_with_its_mode_and_leaves_nothing_beside(tmp_path: Path):
    path = tmp_path / "head.json"
    (tmp_path / f".head.json.{os.getpid()}").write_text("of a process that died")

    put(path, b"one" * 100_000, 0o644)
    put(path, b"two")

    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["head.json"]


def test_a_file_is_not_replaced_through_a_link(tmp_path: Path):
    (tmp_path / "other").write_text("kept")
    (tmp_path / "head.json").symlink_to(tmp_path / "other")

    put(tmp_path / "head.json", b"new")

    assert (tmp_path / "other").read_text() == "kept"
    assert not (tmp_path / "head.json").is_symlink()
