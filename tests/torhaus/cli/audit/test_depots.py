from pathlib import Path

import pytest
import typer

from torhaus.cli.audit.depots import depot, existing
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
