import os
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from torhaus.audit.signing import AuditKey, opened, verify
from torhaus.store.audit.keys import NAME, audit_key, keys_directory, public_key, public_keys


def test_the_key_is_made_once_and_its_owner_alone_reads_it(tmp_path: Path):
    before = os.umask(0)
    try:
        first = audit_key(tmp_path / "data", os.urandom)
    finally:
        os.umask(before)

    assert audit_key(tmp_path / "data", os.urandom).id == first.id
    assert stat.S_IMODE((tmp_path / "data" / NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_the_public_half_is_enough_to_verify(tmp_path: Path):
    key = audit_key(tmp_path, os.urandom)
    line = key.signed(b'{"a":1}')
    (tmp_path / NAME).unlink()

    public = public_keys(keys_directory(tmp_path / "audit"))

    assert list(public) == [key.id]
    verify(opened(line), public[key.id])


def test_openssl_accepts_what_was_signed(tmp_path: Path):
    """Somebody who verifies with other tools must be able to."""
    key = audit_key(tmp_path, os.urandom)
    signed = opened(key.signed(b'{"a":1}'))
    (tmp_path / "text").write_bytes(signed.entry)
    (tmp_path / "signature").write_text(signed.signature)
    pem = keys_directory(tmp_path / "audit") / f"{key.id}.pub"

    done = subprocess.run(
        f"base64 -d signature >raw && openssl pkeyutl -verify -pubin -inkey {pem} -rawin "
        "-in text -sigfile raw",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "Signature Verified Successfully" in done.stdout, done.stderr


def test_all_that_start_at_once_have_the_same_key(tmp_path: Path):
    found: list[str] = []
    ready = threading.Barrier(8)

    def start() -> None:
        ready.wait()
        found.append(audit_key(tmp_path, os.urandom).id)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1
    assert list(public_keys(keys_directory(tmp_path / "audit"))) == [found[0]]


@pytest.mark.parametrize("content", [b"", b"s3cret", b"-----BEGIN PRIVATE KEY-----\nxx\n"])
def test_a_damaged_key_is_an_error_that_does_not_show_it(tmp_path: Path, content: bytes):
    (tmp_path / NAME).write_bytes(content)

    with pytest.raises(ValueError, match=r"Ed25519 key; restore it from a backup") as told:
        audit_key(tmp_path, os.urandom)

    assert told.value.__cause__ is None
    assert "s3cret" not in str(told.value)
    assert (tmp_path / NAME).read_bytes() == content


def test_a_link_in_place_of_the_key_is_not_followed(tmp_path: Path):
    other = tmp_path / "other"
    audit_key(other, os.urandom)
    (tmp_path / NAME).symlink_to(other / NAME)

    with pytest.raises(OSError, match="symbolic"):
        audit_key(tmp_path, os.urandom)


def test_a_public_key_under_anothers_name_is_refused(tmp_path: Path):
    key = audit_key(tmp_path, os.urandom)
    directory = keys_directory(tmp_path / "audit")
    (directory / f"{key.id}.pub").rename(directory / "0000.pub")

    with pytest.raises(ValueError, match="another key than its name says"):
        public_keys(directory)
    assert public_key(directory / "0000.pub") == key.public()


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_what_is_no_public_key_is_refused(tmp_path: Path, content: bytes | None):
    path = tmp_path / "x.pub"
    path.write_bytes(rsa_public() if content is None else content)

    with pytest.raises(ValueError, match="does not hold an Ed25519 public key"):
        public_key(path)


def test_a_wrong_public_half_stops_the_start(tmp_path: Path):
    key = audit_key(tmp_path, os.urandom)
    (keys_directory(tmp_path / "audit") / f"{key.id}.pub").write_bytes(b"another")

    with pytest.raises(ValueError, match="not the public half"):
        audit_key(tmp_path, os.urandom)


def test_a_key_does_not_print_itself(tmp_path: Path):
    key: AuditKey = audit_key(tmp_path, os.urandom)

    assert repr(key) == f"AuditKey({key.id})"


def rsa_public() -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        PublicFormat,
    )

    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_a_pipe_among_the_public_keys_holds_up_nobody(tmp_path: Path):
    audit_key(tmp_path, os.urandom)
    directory = keys_directory(tmp_path / "audit")
    os.mkfifo(directory / "a.pub")

    with pytest.raises(ValueError, match=r"a\.pub is no file"):
        public_keys(directory)
