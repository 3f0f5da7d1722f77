"""What a connection trusts and shows; who may write it where is tested with each of its places."""

from pathlib import Path

from torhaus.config.tls import TlsFiles
from torhaus.model.tls import Tls


def test_paths_are_those_of_the_file_and_absolute_ones_stay() -> None:
    spec = TlsFiles(ca_file="ca.pem", cert_file="/etc/mine.pem", key_file="keys/mine.pem")

    assert spec.tls_files(Path("/srv")) == Tls(
        ca_file="/srv/ca.pem", cert_file="/etc/mine.pem", key_file="/srv/keys/mine.pem"
    )


def test_nothing_is_the_systems_own_trust() -> None:
    assert TlsFiles().tls_files(Path("/srv")) == Tls()
