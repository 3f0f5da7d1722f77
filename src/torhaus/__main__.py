"""`python -m torhaus`."""

from torhaus.cli.main import run

run()
