"""The secret behind every seal, kept beside the data it protects."""

from collections.abc import Callable
from pathlib import Path

from torhaus.store.once import keep_first

SIZE = 32
NAME = "seal.key"


def sealing_secret(data_dir: Path, random: Callable[[int], bytes]) -> bytes:
    """The secret of this installation, made on first use, readable by its owner alone.

    Several processes may start at once: the first to write wins, the others read its secret.
    Raises OSError; ValueError when the file has been damaged.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = data_dir / NAME
    if not path.exists():
        keep_first(path, random(SIZE), random)
    return _read(path)


def _read(path: Path) -> bytes:
    secret = path.read_bytes()
    if len(secret) != SIZE:
        raise ValueError(f"{path} must hold exactly {SIZE} bytes; restore it from a backup")
    return secret
