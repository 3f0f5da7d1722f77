"""Whom TLS believes on the way to others: the system's authorities, and those of a file."""

import ssl


class UnusableError(Exception):
    """The file of authorities holds none, or cannot be read: the text says which."""


def believing(ca_file: str | None) -> ssl.SSLContext:
    """Raises UnusableError."""
    context = ssl.create_default_context()
    if ca_file is not None:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:  # SSLError is one
            reason = "no certificate" if isinstance(error, ssl.SSLError) else error.strerror
            raise UnusableError(reason) from error
    return context
