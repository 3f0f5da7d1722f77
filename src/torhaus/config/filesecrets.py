"""`file:PATH`: a secret in a file of its own, as container platforms mount them."""

from collections.abc import Mapping
from pathlib import Path

from torhaus.config.problems import FaultError

_MAX = 64 * 1024


def file_secret(what: str, _environ: Mapping[str, str], base: Path) -> str:
    """`what`: a path, relative to `base`. Raises FaultError."""
    try:
        with (base / what).open("rb") as stream:
            raw = stream.read(_MAX + 1)
        return raw.decode()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        text = f"the file cannot be read: {reason}"
        raise FaultError(text, "check the path and its rights") from None
