"""The real servers that stand behind the gate, as commands and as running programs."""

import sys
from pathlib import Path

from tests.clients.running import Program
from tests.clients.warm import WarmProgram
from tests.ports import free_port

HERE = Path(__file__).resolve().parent
NODE_CLIENTS = HERE / "node"
MODULES = NODE_CLIENTS / "node_modules"
EVERYTHING = MODULES / "@modelcontextprotocol" / "server-everything" / "dist" / "index.js"
COMPILED = {"NODE_COMPILE_CACHE": str(MODULES / ".compiled")}
"""For the environment of programs of Node: what has been compiled once is read."""
TICKETS = HERE / "servers" / "tickets.py"
ECHO = HERE / "servers" / "echo.py"
QUICK = HERE / "servers" / "quick.py"


def tickets_stdio() -> list[str]:
    return [sys.executable, str(TICKETS), "stdio"]


def everything_stdio(node: str) -> list[str]:
    return [node, str(EVERYTHING), "stdio"]


def tickets(transport: str, home: Path) -> Program:
    """`transport`: `http` or `sse`."""
    port = free_port()
    command = [sys.executable, str(TICKETS), transport, str(port)]
    return WarmProgram(command, port, home / f"tickets-{transport}.log")


def echo(home: Path) -> Program:
    port = free_port()
    return WarmProgram([sys.executable, str(ECHO), str(port)], port, home / "echo.log")


def everything(transport: str, node: str, home: Path) -> Program:
    """`transport`: `streamableHttp` or `sse`. It would bind every interface if left alone."""
    port = free_port()
    loopback = str(NODE_CLIENTS / "loopback.cjs")
    command = [node, "--require", loopback, str(EVERYTHING), transport]
    return Program(
        command, port, home / f"everything-{transport}.log", {"PORT": str(port), **COMPILED}
    )
