from hashlib import sha256
from pathlib import Path

import pytest

from tests.torhaus.config.summary import CASES, SECRETS, summary

FILES = sorted(CASES.glob("*.yml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_compiles_or_fails_as_recorded(path: Path) -> None:
    """After an intended change: `python -m tests.torhaus.config.summary`, then read the diff."""
    assert summary(path) == path.with_suffix(".txt").read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_summary_shows_a_secret(path: Path) -> None:
    said = summary(path)

    assert [secret for secret in SECRETS if secret in said] == []


def test_the_director_block_is_byte_for_byte_as_printed() -> None:
    block = (CASES / "director.yml").read_bytes()

    assert sha256(block).hexdigest() == (
        "8fba5f6ba63bcece50194a154965eb81d56b9e3242e0521c77fcdf662369cbbd"
    )
