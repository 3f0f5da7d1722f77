import os
from pathlib import Path

import pytest
import typer

from torhaus.cli.audit.depots import as_owner_only, depot, existing
from torhaus.config.settings import Settings


def test_a_directory_without_an_audit_log_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        existing(Settings(data_dir=tmp_path))

    assert "There is no audit log in" in capsys.readouterr().err


def test_a_damaged_key_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit.key").write_text("no key")

    with pytest.raises(typer.Exit):
        depot(Settings(data_dir=tmp_path))

    assert "does not hold an Ed25519 key" in capsys.readouterr().err


def test_ones_own_directory_is_ones_own(tmp_path: Path) -> None:
    as_owner_only(tmp_path)  # does not end the command


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_root_leaves_no_files_that_the_gateway_cannot_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "audit").mkdir()
    os.chown(tmp_path / "audit", 12345, 12345)

    with pytest.raises(typer.Exit):
        depot(Settings(data_dir=tmp_path))

    assert "belongs to #12345: do this as that account, sudo -u '#12345'" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["audit"]
