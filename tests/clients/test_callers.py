"""The client programs work without the gate, so that a failure with it is the gate's."""

from pathlib import Path

import pytest

from tests.clients.callers import Caller, Want

DIRECT = [
    Caller("sdk_python", "legacy"),
    Caller("fastmcp_python", "legacy"),
    Caller("sdk_v1", "legacy", needs_node=True),
    Caller("sdk_v2", "legacy", needs_node=True),
    Caller("inspector", "legacy", needs_node=True),
]
pytestmark = pytest.mark.node


@pytest.mark.parametrize("caller", DIRECT, ids=str)
def test_a_client_program_calls_a_server_directly(
    caller: Caller, servers: dict[str, dict[str, object]], node: str, tmp_path: Path
) -> None:
    url = str(servers["everything-http"]["url"])
    want = Want(url=url, header="apikey", value="none", tool="echo", arguments={"message": "hi"})

    seen = caller.ask(want, node, tmp_path)

    assert "echo" in seen.tools
    assert seen.text == "Echo: hi"
