"""`server.tls`: the certificates that callers are shown, and whether they can be used."""

import ssl
import stat
from pathlib import Path as FilePath

from torhaus.config.shape import Shape
from torhaus.config.texts import Line
from torhaus.config.tree import Source
from torhaus.model.tls import Shown


class ServerTls(Shape):
    """Files in PEM form, relative to the configuration file; read again when they change."""

    cert: Line
    """The certificate, with those between it and its root behind it."""
    key: Line
    """Its key, without a password. Others than owner and group must not be able to read it."""
    client_ca: Line | None = None
    """Only callers with a certificate of one of these authorities may connect at all."""


def shown(source: Source, spec: ServerTls | None, public_url: str | None) -> Shown | None:
    """Mistakes go to the source's problems."""
    if spec is None:
        return None
    if not (public_url or "").startswith("https://"):
        message = "nothing says which name the certificate is for"
        source.error(("server", "tls"), message, "add server.public_url: https://that.name")
    base = FilePath(source.name).absolute().parent
    given = {"cert": spec.cert, "key": spec.key, "client_ca": spec.client_ca}
    paths = {name: str(base / each) for name, each in given.items() if each is not None}
    missing = [name for name, path in paths.items() if not FilePath(path).is_file()]
    for name in missing:
        source.error(("server", "tls", name), "there is no such file", "correct the path")
    found = Shown(**paths)
    if missing:
        return found
    trouble = unfit(found)
    if trouble is not None:
        source.error(("server", "tls"), trouble[0], trouble[1])
    return found


def unfit(shown: Shown) -> tuple[str, str] | None:
    """Why these files cannot be used, and what to do; None when they can."""
    try:
        mode = stat.S_IMODE(FilePath(shown.key).stat().st_mode)
        if mode & 0o027:
            return f"the key is open to others ({mode:04o})", "chmod 600 the key's file"
        context(shown)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            return "the key is not the certificate's", "give the two files of one certificate"
        return "the files cannot be read as certificate and key", "give PEM files, no password"
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        return f"the files cannot be read: {said}", "let the gateway's user read them"
    return None


def context(shown: Shown) -> ssl.SSLContext:
    """For the side that listens. Raises OSError, ssl.SSLError among them, and ValueError."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    made.set_alpn_protocols(["http/1.1"])
    # Without an answer OpenSSL would ask on the terminal, and wait there.
    made.load_cert_chain(shown.cert, shown.key, password=lambda: b"")
    if shown.client_ca is not None:
        made.load_verify_locations(shown.client_ca)
        made.verify_mode = ssl.CERT_REQUIRED
    return made
