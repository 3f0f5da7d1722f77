"""The shape of what a connection trusts, and shows, besides the system's certificates."""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.texts import Line
from torhaus.model.tls import Tls


class TlsFiles(Shape):
    """How the connection is encrypted."""

    ca_file: Line | None = None
    """Certificates to trust besides the system's."""
    cert_file: Line | None = None
    """A certificate to show, with its key_file."""
    key_file: Line | None = None
    """The certificate's key."""

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise FaultError("cert_file and key_file go together", "give both, or neither")
        return self

    def tls_files(self, base: Path) -> Tls:
        """Relative paths are below `base`."""
        given = (self.ca_file, self.cert_file, self.key_file)
        ca, cert, key = (None if each is None else str(base / each) for each in given)
        return Tls(ca_file=ca, cert_file=cert, key_file=key)
