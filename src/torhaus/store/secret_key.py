"""The secret behind every seal, kept beside the data it protects."""

import os
from collections.abc import Callable
from pathlib import Path

SIZE = 32
NAME = "seal.key"


def sealing_secret(data_dir: Path, random: Callable[[int], bytes]) -> bytes:
    """The secret of this installation, made on first use, readable by its owner alone.

    Several processes may start at once: the first to write wins, the others read its secret.
    Raises OSError; ValueError when the file has been damaged.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = data_dir / NAME
    if path.exists():
        return _read(path)
    return _publish(data_dir / f".{NAME}.{random(8).hex()}", path, random(SIZE))


def _publish(fresh: Path, path: Path, secret: bytes) -> bytes:
    """Write the whole file under another name, then link it: nobody ever reads half of it."""
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(secret)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            return _read(path)
        return secret
    finally:
        fresh.unlink()


def _read(path: Path) -> bytes:
    secret = path.read_bytes()
    if len(secret) != SIZE:
        raise ValueError(f"{path} must hold exactly {SIZE} bytes; restore it from a backup")
    return secret
