import pytest

from tests.torhaus.policy.known.evidence import differences, offered
from torhaus.model.servers import ToolClass
from torhaus.policy.known import reference

SERVERS = {
    "time": reference.TIME,
    "fetch": reference.FETCH,
    "git": reference.GIT,
    "filesystem": reference.FILESYSTEM,
    "memory": reference.MEMORY,
    "everything": reference.EVERYTHING,
}


@pytest.mark.parametrize("server", SERVERS)
def test_every_tool_and_every_argument_is_the_servers_own(server: str) -> None:
    assert list(differences(SERVERS[server], server)) == []


@pytest.mark.parametrize(("server", "tools"), SERVERS.items())
def test_every_argument_that_is_a_path_is_a_target(
    server: str, tools: dict[str, ToolClass]
) -> None:
    for name, arguments in offered(server).items():
        paths = {"path", "paths", "source", "destination", "repo_path"} & set(arguments or {})
        assert {each.args[0] for each in tools[name].targets} == paths, name
        assert all(each.kind == "paths" for each in tools[name].targets)
