"""The classification that GitHub's and Sentry's tables must agree with, tool by tool."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from torhaus.model.servers import ToolClass
from torhaus.policy.known.build import build, parse

FILE = Path(__file__).parent / "classification.yaml"


def normative(server: str, tools: dict[str, ToolClass]) -> dict[str, ToolClass]:
    """What the file says, with the arguments that each of the table's tools really has."""
    everything: dict[str, Any] = YAML(typ="safe", pure=True).load(FILE)
    spec = parse(everything[server])
    return {name: build(row, spec, over=tools.get(name)) for name, row in spec.tools.items()}
