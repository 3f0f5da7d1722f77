from pathlib import Path

import pytest

from torhaus.config.filesecrets import file_secret
from torhaus.config.problems import FaultError


def test_the_file_is_found_beside_the_configuration_or_by_its_whole_path(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("canary\n")

    assert file_secret("one", {}, tmp_path) == "canary\n"
    assert file_secret(str(tmp_path / "one"), {}, Path("/")) == "canary\n"


@pytest.mark.parametrize("name", ["none", ".", "raw", "a\0b"])
def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "raw").write_bytes(b"canary\xff")

    with pytest.raises(FaultError, match="cannot be read") as failed:
        file_secret(name, {}, tmp_path)
    assert "canary" not in failed.value.message
