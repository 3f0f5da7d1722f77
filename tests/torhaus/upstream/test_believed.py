"""Files of authorities that can be used, and those that cannot."""

from pathlib import Path

import pytest

from torhaus.upstream.believed import UnusableError, believing


def test_without_a_file_the_system_is_believed() -> None:
    assert believing(None).check_hostname


@pytest.mark.parametrize(("text", "why"), [(None, "No such file"), ("words", "no certificate")])
def test_a_file_that_cannot_be_used_is_told_of(text: str | None, why: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)

    with pytest.raises(UnusableError, match=why):
        believing(str(path))
