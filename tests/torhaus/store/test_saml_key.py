from datetime import UTC, datetime
from pathlib import Path

import pytest

from torhaus.store.saml_key import NAME, saml_pair

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = "-----BEGIN PRIVATE KEY-----\nk\n-----END PRIVATE KEY-----\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nc\n-----END CERTIFICATE-----\n"


def test_the_pair_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    assert saml_pair(tmp_path, NOW, lambda _now: (KEY, CERTIFICATE)) == (KEY, CERTIFICATE)
    assert saml_pair(tmp_path, NOW, lambda _now: ("other", "pair")) == (KEY, CERTIFICATE)
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_a_damaged_file_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("nothing")

    with pytest.raises(ValueError, match="restore it from a backup"):
        saml_pair(tmp_path, NOW, lambda _now: (KEY, CERTIFICATE))
