"""A file that is there whole or not at all."""

import hashlib
from pathlib import Path

import pytest

from torhaus.cli.audit.outfile import TakenError, written


def test_a_file_is_whole_and_its_owners_alone(tmp_path: Path) -> None:
    out = tmp_path / "log.csv"

    with written(str(out), force=False) as target:
        target.write(b"one")
        target.write(b"two")
        assert not out.exists()

    assert out.read_bytes() == b"onetwo"
    assert out.stat().st_mode & 0o777 == 0o600
    assert target.sha256 == hashlib.sha256(b"onetwo").hexdigest()
    assert list(tmp_path.iterdir()) == [out]


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), written(str(tmp_path / "log.csv"), force=False):
        raise RuntimeError

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    out = tmp_path / "log.csv"
    out.write_bytes(b"mine")

    with pytest.raises(TakenError), written(str(out), force=False) as target:
        target.write(b"theirs")

    assert out.read_bytes() == b"mine"


def test_a_file_that_comes_meanwhile_stays_too(tmp_path: Path) -> None:
    out = tmp_path / "log.csv"

    with pytest.raises(TakenError), written(str(out), force=False):
        out.write_bytes(b"mine")

    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"mine"]


def test_force_replaces_a_link_and_not_what_it_points_to(tmp_path: Path) -> None:
    precious, out = tmp_path / "precious", tmp_path / "log.csv"
    precious.write_bytes(b"mine")
    out.symlink_to(precious)

    with pytest.raises(TakenError), written(str(out), force=False):
        pass
    with written(str(out), force=True) as target:
        target.write(b"new")

    assert precious.read_bytes() == b"mine"
    assert (out.is_symlink(), out.read_bytes()) == (False, b"new")
