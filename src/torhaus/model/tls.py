"""Whom TLS believes, and what it shows."""

import msgspec


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """Paths of PEM files. `ca_file`: trusted besides the system's. The pair is shown if given."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What callers are shown: paths of PEM files. `client_ca`: whose certificates they need."""

    cert: str
    key: str
    client_ca: str | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(each for each in (self.cert, self.key, self.client_ca) if each is not None)
