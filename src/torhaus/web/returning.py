"""Where somebody may be sent when a page has done its work: an address of ours. Pure."""

from urllib.parse import urlsplit

from torhaus.identity.keys import digest

HOME = "/me"
LONGEST = 4000


def local(wanted: str, otherwise: str = HOME) -> str:
    r"""The wanted path and query where it leads here; else `otherwise`.

    Browsers read `//host`, `/\host` and what has tabs or line ends in it as other hosts, so only
    printable ASCII passes, with one slash in front and no backslash.
    """
    if not wanted.startswith("/") or len(wanted) > LONGEST:
        return otherwise
    if not wanted.isascii() or not wanted.isprintable() or " " in wanted or "\\" in wanted:
        return otherwise
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return otherwise
    if parts.scheme or parts.netloc or wanted.startswith("//"):
        return otherwise
    return wanted


def invited(token: str) -> str:
    """The digest of an invitation's token, in hexadecimal; empty for none."""
    return digest(token).hex() if token and token.isascii() and len(token) <= 128 else ""
