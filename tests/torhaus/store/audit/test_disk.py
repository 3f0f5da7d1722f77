import os
import stat
from pathlib import Path

import pytest

from torhaus.store.audit.disk import cut_torn, last_line, plain, prepare, write


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
