"""Files that are made once, whole, by whichever process comes first."""

import os
from collections.abc import Callable
from pathlib import Path

from torhaus.store.audit.disk import sync_directory


def keep_first(
    path: Path, content: bytes, random: Callable[[int], bytes], mode: int = 0o600
) -> bytes:
    """What the file holds afterwards: `content`, or what another process put there before.

    Written under another name, then linked: nobody ever reads half of it, and it is still there
    after a loss of power. Raises OSError.
    """
    fresh = path.with_name(f".{path.name}.{random(8).hex()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            return path.read_bytes()
        sync_directory(path.parent)
        return content
    finally:
        fresh.unlink()
