"""A task that a server made of a tool call."""

from collections.abc import Mapping
from typing import Any

import msgspec


class Task(msgspec.Struct, frozen=True):
    """`token`: its id as its principal knows it. `id`: as its server does.

    `tool`, `arguments`: the call that made it; long arguments are left out. `ip`: where it was
    last asked for from.
    """

    token: str
    id: str
    tool: str
    arguments: Mapping[str, Any]
    ip: str = ""
