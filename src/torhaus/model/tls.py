"""Whom TLS believes, and what it shows."""

import msgspec


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """Paths of PEM files. `ca_file`: trusted besides the system's. The pair is shown if given."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
