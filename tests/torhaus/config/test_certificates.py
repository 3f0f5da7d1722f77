"""`server.tls`: which files can be shown to callers."""

import ssl
from pathlib import Path

import pytest

from tests.torhaus.upstream.certificates import authority
from torhaus.config.certificates import context, unfit
from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.model.tls import Shown

URL = "public_url: https://gw.example"


def load(folder: Path, server: str):
    return load_text(f"server: {{{server}}}", str(folder / "torhaus.yml"), {}, folder)


def problems(folder: Path, server: str) -> str:
    with pytest.raises(ConfigError) as raised:
        load(folder, server)
    return str(raised.value)


def test_files_are_beside_the_configuration_and_are_shown(tmp_path: Path) -> None:
    pem = authority(tmp_path).pem("gw.example")

    made = load(tmp_path, f"{URL}, tls: {{cert: {pem.name}, key: {pem.name}, client_ca: ca.pem}}")

    assert made.settings.tls == Shown(
        cert=str(pem), key=str(pem), client_ca=str(tmp_path / "ca.pem")
    )


def test_a_certificate_has_a_name_that_people_type(tmp_path: Path) -> None:
    pem = authority(tmp_path).pem("gw.example")
    tls = f"tls: {{cert: {pem}, key: {pem}}}"

    assert "server.public_url" in problems(tmp_path, tls)
    assert "server.public_url" in problems(tmp_path, f"public_url: http://gw.example, {tls}")


def test_what_cannot_be_shown_is_refused_with_what_to_do(tmp_path: Path) -> None:
    house = authority(tmp_path)
    one, other = house.pem("gw.example"), house.pem("other.example")

    def told(key: object) -> str:
        return problems(tmp_path, f"{URL}, tls: {{cert: {one}, key: {key}}}")

    assert "there is no such file" in told("gone.pem")
    other.chmod(0o604)
    assert "open to others (0604)" in told(other)
    other.chmod(0o640)  # the group that Debian has for it
    assert "the key is not the certificate's" in told(_key(other))


def _key(pem: Path) -> Path:
    """The key alone: a certificate in the same file would be taken with it."""
    text = pem.read_text()
    path = pem.with_suffix(".key")
    path.touch(0o600)
    path.write_text(text[text.index("-----BEGIN PRIVATE KEY") :])
    return path


def test_a_key_with_a_password_asks_nobody_for_it(tmp_path: Path) -> None:
    pem = authority(tmp_path).pem("gw.example")
    locked = tmp_path / "locked.pem"
    locked.touch(0o600)
    locked.write_text(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGbMFcGCSqGSIb3\n"
        "-----END ENCRYPTED PRIVATE KEY-----\n"
    )

    found = unfit(Shown(cert=str(pem), key=str(locked)))

    assert found is not None
    assert "password" in found[1]


def test_nothing_older_than_tls_1_2_is_spoken(tmp_path: Path) -> None:
    pem = str(authority(tmp_path).pem("gw.example"))

    made = context(Shown(cert=pem, key=pem))

    assert made.minimum_version is ssl.TLSVersion.TLSv1_2
    assert made.verify_mode is ssl.CERT_NONE
    asking = context(Shown(cert=pem, key=pem, client_ca=str(tmp_path / "ca.pem")))
    assert asking.verify_mode is ssl.CERT_REQUIRED
