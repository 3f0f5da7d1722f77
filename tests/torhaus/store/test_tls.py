"""TLS as the store speaks it; who believes whom is tested where connections are made."""

from pathlib import Path

import pytest

from torhaus.model.tls import Tls
from torhaus.store.tls import context


def test_files_that_cannot_be_used_are_told_of_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")

    with pytest.raises(OSError):  # noqa: PT011 -- ssl's own words
        context(Tls(cert_file=str(tmp_path / "empty.pem")))
    with pytest.raises(OSError):  # noqa: PT011 -- the system's own words
        context(Tls(ca_file=str(tmp_path / "none.pem")))
