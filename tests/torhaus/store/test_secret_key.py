"""The sealing secret: made once, kept, and read by nobody else."""

import base64
import itertools
import os
import stat
import subprocess
import sys
import threading

import pytest

from torhaus.store.secret_key import NAME, SIZE, sealing_secret, shared_secret


def counted():
    """Bytes that never repeat."""
    numbers = itertools.count(1)
    lock = threading.Lock()

    def random(size):
        with lock:
            return next(numbers).to_bytes(size, "big")

    return random


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_made_once_and_then_stays(tmp_path):
    first = sealing_secret(tmp_path / "data", os.urandom)
    again = sealing_secret(tmp_path / "data", os.urandom)

    assert first == again
    assert len(first) == SIZE
    assert (tmp_path / "data" / NAME).read_bytes() == first


def test_two_installations_have_two_secrets(tmp_path):
    assert sealing_secret(tmp_path / "a", os.urandom) != sealing_secret(tmp_path / "b", os.urandom)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_can_read_it_whatever_the_umask(tmp_path, umask):
    data = tmp_path / "a" / "b" / "data"
    before = os.umask(umask)
    try:
        sealing_secret(data, os.urandom)
    finally:
        os.umask(before)

    assert mode(data / NAME) == 0o600
    assert mode(data) == 0o700


def test_a_directory_that_is_there_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o750)

    sealing_secret(tmp_path, os.urandom)

    assert mode(tmp_path) == 0o750


def test_nothing_but_the_secret_is_left(tmp_path):
    sealing_secret(tmp_path, os.urandom)
    sealing_secret(tmp_path, os.urandom)

    assert [each.name for each in tmp_path.iterdir()] == [NAME]


def test_all_that_start_at_once_have_the_same(tmp_path):
    random, found = counted(), []
    ready = threading.Barrier(16)

    def start():
        ready.wait()
        found.append(sealing_secret(tmp_path, random))

    for _ in range(20):
        found.clear()
        threads = [threading.Thread(target=start) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(found) == 16
        assert len(set(found)) == 1
        assert found[0] == (tmp_path / NAME).read_bytes()
        assert [each.name for each in tmp_path.iterdir()] == [NAME]
        (tmp_path / NAME).unlink()


PROGRAM = """
import os, sys, pathlib
from torhaus.store.secret_key import sealing_secret
sys.stdin.read(1)
sys.stdout.write(sealing_secret(pathlib.Path(sys.argv[1]), os.urandom).hex())
"""


def test_processes_that_start_at_once_have_the_same(tmp_path):
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path / "data")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for _ in range(4)
    ]

    for program in programs:
        program.stdin.write(b"x")
        program.stdin.flush()
    found = {program.communicate()[0] for program in programs}

    assert len(found) == 1
    assert found == {(tmp_path / "data" / NAME).read_bytes().hex().encode()}


@pytest.mark.parametrize("content", [b"", b"short", bytes(SIZE - 1), bytes(SIZE + 1)])
def test_a_damaged_secret_is_an_error_and_never_replaced(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)

    with pytest.raises(ValueError, match="must hold exactly 32 bytes; restore it from a backup"):
        sealing_secret(tmp_path, os.urandom)

    assert (tmp_path / NAME).read_bytes() == content


def test_a_damaged_secret_is_not_shown(tmp_path):
    (tmp_path / NAME).write_bytes(b"half-a-s3cret")

    with pytest.raises(ValueError, match="backup") as caught:
        sealing_secret(tmp_path, os.urandom)

    assert "s3cret" not in str(caught.value)


def test_what_a_crash_left_behind_is_in_nobodys_way(tmp_path):
    (tmp_path / f".{NAME}.0000").write_bytes(b"half")

    assert len(sealing_secret(tmp_path, os.urandom)) == SIZE


def test_a_name_that_is_taken_is_not_written_over(tmp_path):
    """Somebody who can guess a name could have put a link there."""
    taken = tmp_path / f".{NAME}.{bytes(8).hex()}"
    taken.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(FileExistsError):
        sealing_secret(tmp_path, bytes)

    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("where", ["file", "file/below"])
def test_a_place_that_is_no_directory_is_an_error(tmp_path, where):
    (tmp_path / "file").write_text("")

    with pytest.raises(OSError, match="file"):
        sealing_secret(tmp_path / where, os.urandom)


KEY = bytes(range(SIZE))
TEXT = base64.b64encode(KEY).decode()


def test_several_gateways_are_given_one(tmp_path):
    file = tmp_path / "shared.key"
    file.write_text(f"{TEXT}\n")
    file.chmod(0o600)

    told = shared_secret({"TORHAUS_SEAL_KEY": TEXT}, tmp_path / "a", os.urandom)
    read = shared_secret({"TORHAUS_SEAL_KEY_FILE": str(file)}, tmp_path / "b", os.urandom)
    own = shared_secret({}, tmp_path / "c", os.urandom)

    assert told == read == KEY
    assert own == sealing_secret(tmp_path / "c", os.urandom)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("text", ["short", "s3cret" * 20, TEXT[:-4], "ü", " "])
def test_a_given_one_that_is_none_is_an_error_that_does_not_show_it(tmp_path, text):
    with pytest.raises(ValueError, match="TORHAUS_SEAL_KEY must hold 32 bytes") as caught:
        shared_secret({"TORHAUS_SEAL_KEY": text}, tmp_path, os.urandom)

    assert "s3cret" not in str(caught.value)


def test_a_file_that_everybody_may_read_is_refused(tmp_path):
    file = tmp_path / "shared.key"
    file.write_text(TEXT)
    file.chmod(0o644)

    with pytest.raises(ValueError, match="chmod 600"):
        shared_secret({"TORHAUS_SEAL_KEY_FILE": str(file)}, tmp_path, os.urandom)
