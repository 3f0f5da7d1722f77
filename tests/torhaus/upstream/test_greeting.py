import json

import msgspec
import pytest

from tests.torhaus.upstream.pipes import ask
from torhaus.upstream.greeting import NOBODY, greeting


@pytest.mark.parametrize(
    ("asked", "said"),
    [("2025-06-18", "2025-06-18"), ("1999-01-01", "2025-11-25"), (5, "2025-11-25")],
)
def test_a_client_with_sessions_is_greeted_in_its_revision(asked, said):
    found = greeting(ask("initialize", {"protocolVersion": asked}), "github")

    assert found is not None
    assert found.session == NOBODY
    known = json.loads(found.result or b"")
    assert known["protocolVersion"] == said
    assert known["serverInfo"]["name"] == "github"
    assert known["capabilities"] == {"tools": {"listChanged": True}}


def test_a_client_without_sessions_is_greeted_too():
    found = greeting(ask("server/discover", {}), "github")

    assert found is not None
    assert json.loads(found.result or b"")["supportedVersions"] == ["2026-07-28"]
    assert greeting(ask("ping"), "github").result == b"{}"


@pytest.mark.parametrize("method", ["tools/list", "tools/call", "resources/read"])
def test_only_the_server_answers_the_rest(method):
    assert greeting(ask(method, {}), "github") is None


def test_params_that_cannot_be_read_do_not_matter():
    for params in (b"", b"[]", b"{"):
        broken = msgspec.structs.replace(ask("initialize"), params=params)
        assert greeting(broken, "github") is not None
