"""The key that signs the journal: made at the first start, its public half beside the journal."""

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from torhaus.audit.signing import AuditKey, key_id
from torhaus.store.audit.disk import prepare, sync_directory
from torhaus.store.once import keep_first

NAME = "audit.key"


def audit_key(data_dir: Path, random: Callable[[int], bytes]) -> AuditKey:
    """The key of this installation, made on first use, readable by its owner alone (0600).

    Its public half is `audit/keys/<id>.pub`, PEM, for whoever wants to verify. Raises OSError;
    ValueError when a file has been damaged.
    """
    prepare(data_dir)
    path = data_dir / NAME
    try:
        held = _held(path)
    except FileNotFoundError:
        held = keep_first(path, _fresh(), random)
        sync_directory(data_dir)
    key = AuditKey(_private(held, path))
    _hand_out(key, keys_directory(data_dir / "audit"), random)
    return key


def keys_directory(audit: Path) -> Path:
    return audit / "keys"


def public_keys(directory: Path) -> dict[str, Ed25519PublicKey]:
    """All that are in a directory, by id. Raises OSError; ValueError for what is no key."""
    found = sorted(directory.glob("*.pub"))
    for each in found:
        if not each.is_file():
            raise ValueError(f"{each} is no file")
    return {each.stem: _public(each) for each in found}


def public_key(path: Path) -> Ed25519PublicKey:
    """Raises OSError; ValueError for what is no key."""
    return _loaded(path)


def _hand_out(key: AuditKey, directory: Path, random: Callable[[int], bytes]) -> None:
    prepare(directory)
    path = directory / f"{key.id}.pub"
    pem = key.public().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    held = path.read_bytes() if path.exists() else keep_first(path, pem, random, mode=0o644)
    if held != pem:
        raise ValueError(f"{path} is not the public half of {NAME}; remove it to have it remade")
    sync_directory(directory)


def _fresh() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def _held(path: Path) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), "rb") as stream:
        return stream.read()


def _private(pem: bytes, path: Path) -> Ed25519PrivateKey:
    wrong = f"{path} does not hold an Ed25519 key; restore it from a backup"
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError(wrong) from None  # what was read could be in the cause
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(wrong)  # noqa: TRY004 -- the file is wrong, not the caller
    return key


def _public(path: Path) -> Ed25519PublicKey:
    key = _loaded(path)
    if key_id(key) != path.stem:
        raise ValueError(f"{path} holds another key than its name says")
    return key


def _loaded(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"{path} does not hold an Ed25519 public key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"{path} does not hold an Ed25519 public key")  # noqa: TRY004
    return key
