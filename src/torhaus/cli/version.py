"""`torhaus version`."""

import platform
from importlib import metadata

from torhaus import __version__
from torhaus.cli.output import say, say_json
from torhaus.cli.reading import AsJson


def version(*, json: AsJson = False) -> None:
    """Print the version."""
    if not json:
        say(f"torhaus {__version__}")
        return
    python = platform.python_version()
    say_json({"torhaus": __version__, "python": python, "uvloop": metadata.version("uvloop")})
