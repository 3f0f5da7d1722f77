"""The shape of where Torhaus may go when others say where."""

from pathlib import Path

from torhaus.config.addresses import Networks
from torhaus.config.shape import Shape
from torhaus.config.texts import Line
from torhaus.config.tree import Source


class EgressSpec(Shape):
    """Where Torhaus may go when documents of others say where: keys, tokens, metadata."""

    allow: Networks = ()
    """Networks besides the internet, such as 10.20.0.0/16, where http is accepted too."""
    ca_file: Line | None = None
    """Certificates to trust there, and at identity providers, besides the system's."""

    def path(self, source: Source) -> Path | None:
        """The certificates' file, relative to the configuration."""
        return None if self.ca_file is None else Path(source.name).absolute().parent / self.ca_file

    def trusted(self, source: Source) -> Path | None:
        """The same; a missing file is a problem."""
        path = self.path(source)
        if path is not None and not path.is_file():
            source.error(("egress", "ca_file"), "there is no such file", "correct the path")
        return path
