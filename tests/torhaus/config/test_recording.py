import json
from typing import Any

import pytest

from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.model.auditing import WHOLE, Extent, Recorded
from torhaus.model.servers import Server

SERVERS = {
    "github": {"url": "http://127.0.0.1:1/github"},
    "sentry": {"url": "http://127.0.0.1:1/sentry"},
}


def servers(**logs: Any) -> dict[str, Server]:
    return dict(loaded(**logs).rules.servers)


def loaded(**logs: Any) -> Any:
    text = json.dumps({"mcpServers": SERVERS, "audit_logs": logs})
    return load_text(text, "torhaus.yml", {})


def test_without_a_word_everything_is_recorded():
    assert servers()["github"].recorded is WHOLE


def test_one_word_is_for_every_server():
    found = servers(parameters="names")

    assert {each.recorded.default for each in found.values()} == {Extent.NAMES}
    assert not found["github"].recorded.whole


def test_servers_and_tools_have_words_of_their_own():
    found = servers(
        parameters={
            "default": "selectors",
            "servers": {"github": {"default": "full", "tools": {"createIssue": "none"}}},
        }
    )

    assert found["github"].recorded == Recorded(tools={"createissue": Extent.NONE}, whole=False)
    assert found["sentry"].recorded == Recorded(default=Extent.SELECTORS, whole=False)


def test_a_word_for_a_server_stands_for_all_its_tools():
    found = servers(parameters={"servers": {"github": "none"}})

    assert found["github"].recorded.default is Extent.NONE
    assert found["sentry"].recorded is WHOLE


def test_a_block_without_a_default_takes_the_general_one():
    found = servers(
        parameters={"default": "names", "servers": {"github": {"tools": {"get_me": "full"}}}}
    )

    assert found["github"].recorded.default is Extent.NAMES


def test_the_most_a_record_holds_is_every_servers():
    assert servers(max_parameters="1KiB")["sentry"].recorded == Recorded(most=1024)


@pytest.mark.parametrize(
    ("logs", "path", "says"),
    [
        ({"parameters": "some"}, "audit_logs.parameters", ""),
        (
            {"parameters": {"servers": {"gihtub": "none"}}},
            "audit_logs.parameters.servers.gihtub",
            "did you mean github?",
        ),
        (
            {"parameters": {"servers": {"github": {"tools": {"get_me": "x"}}}}},
            "audit_logs.parameters.servers.github.tools.get_me",
            "",
        ),
        (
            {"parameters": {"servers": {"github": {"tools": {"get_me": "none", "getMe": "full"}}}}},
            "audit_logs.parameters.servers.github.tools.getMe",
            "keep one of them",
        ),
        ({"max_parameters": 10}, "audit_logs.max_parameters", "between 256 bytes and 1MiB"),
    ],
)
def test_mistakes_are_named(logs: dict[str, Any], path: str, says: str):
    with pytest.raises(ConfigError) as refused:
        loaded(**logs)

    (problem,) = refused.value.problems
    assert problem.path.startswith(path)
    assert says in f"{problem.message} {problem.fix}"


def test_a_tool_nobody_knows_is_doubted():
    found = loaded(parameters={"servers": {"github": {"tools": {"get_mee": "none"}}}})

    assert any("get_mee" in str(each) for each in found.warnings)
