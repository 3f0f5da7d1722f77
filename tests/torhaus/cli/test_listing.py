"""Asking servers directly."""

import sys
import time

from tests.torhaus.cli.terminal import TINY
from torhaus.cli.listing import listed
from torhaus.model.servers import HttpAddress, Server, StdioAddress


def tiny(*names: str) -> Server:
    return Server(name="a", address=StdioAddress(command=sys.executable, args=(str(TINY), *names)))


def test_every_server_is_asked_and_answers_for_itself() -> None:
    nobody = Server(name="b", address=HttpAddress(url="http://127.0.0.1:1/mcp"))

    first, second, third = listed([tiny("x", "y"), nobody, tiny("broken")])

    assert [tool.name for tool in first if not isinstance(tool, str)] == ["x", "y"]
    assert isinstance(second, str)
    assert isinstance(third, str)
    assert "no such database" in third


def test_a_server_that_says_nothing_is_not_waited_for_for_ever() -> None:
    mute = Server(
        name="a",
        address=StdioAddress(command=sys.executable, args=("-c", "import sys; sys.stdin.read()")),
    )
    began = time.monotonic()

    (found,) = listed([mute], patience=0.5)

    assert found == "it does not answer within 0.5 s"
    assert time.monotonic() - began < 10
