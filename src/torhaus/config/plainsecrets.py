"""Secrets that are less secret than they seem: in the file, or in one that everybody reads."""

import re
import stat
from pathlib import Path as FilePath

from torhaus.config.references import PLACES, SCHEMES
from torhaus.config.tree import Path, Source, meant
from torhaus.redact.text import found
from torhaus.redact.tokens import TOKENS

MOUNTED = ("/run/secrets/", "/var/run/secrets/")
"""Where platforms show a container's secrets, to that container alone and to all in it."""
_PUBLIC = frozenset(("metadata", "signing_certificate"))
_NAMES = frozenset(str(place[-1]) for place in PLACES) - {"*"} - _PUBLIC
_FILES = frozenset(f"{name}_file" for name in _NAMES)
_GROUPS = ("env", "headers")
_WORD = re.compile(r"([a-z][a-z-]{2,9}):(?!//)\S")
_VARIABLE = re.compile(r"env:\w+")


def doubt_secrets(source: Source) -> None:
    """What the file itself says, before anything from outside is filled in."""
    base = FilePath(source.name).absolute().parent
    for path, node in source.root.walk():
        if not isinstance(node.value, str) or not path:
            continue
        if path[-1] in _FILES or path[-1] == "api_keys_file":
            _read_by_all(source, path, base / node.value)
        elif path[-1] in _NAMES or (len(path) == 4 and path[-2] in _GROUPS):
            _doubt(source, path, node.value, base)


def _doubt(source: Source, path: Path, value: str, base: FilePath) -> None:
    scheme, _, rest = value.partition(":")
    if scheme == "file" and rest:
        _read_by_all(source, path, base / rest)
        return
    word = _WORD.match(value)
    if scheme in SCHEMES or "${" in value:
        return
    if _VARIABLE.fullmatch(value):
        text = f"this is the secret itself: no reference begins with {scheme}:"
        source.warn(path, text, f'write "${{{rest}}}" for an environment variable')
    elif word is not None and (close := meant(word[1], list(SCHEMES))) is not None:
        text = f"this is the secret itself: no reference begins with {word[1]}:"
        source.warn(path, text, f"did you mean {close}:?")
    elif found(value, TOKENS):
        text = "a secret stands in the file itself, for whoever reads the file or its copies"
        source.warn(path, text, 'write "${NAME}", or where it is: file:PATH, vault:..., exec:...')


def _read_by_all(source: Source, path: Path, file: FilePath) -> None:
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except (OSError, ValueError):
        return  # whoever reads it says so
    if mode & stat.S_IROTH and not str(file).startswith(MOUNTED):
        text = f"everybody on this machine can read the secret's file ({mode:04o})"
        source.warn(path, text, "chmod 600 the file")
