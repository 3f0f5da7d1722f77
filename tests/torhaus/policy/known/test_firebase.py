import re

import pytest

from tests.torhaus.policy.known.evidence import differences, offered
from torhaus.policy.known.firebase import TOOLS


def test_every_tool_and_every_argument_is_the_servers_own() -> None:
    assert list(differences(TOOLS, "firebase")) == []


def test_whoever_names_the_database_may_name_google_s_only() -> None:
    ((argument, pattern),) = TOOLS["realtimedatabase_get_data"].pinned

    assert argument in (offered("firebase")["realtimedatabase_get_data"] or {})
    for url in (
        "https://evil.example",
        "http://a-rtdb.firebaseio.com",
        "localhost:6000/x",
        "https://evil.example/.firebaseio.com",
        "https://firebaseio.com.evil.example",
        "https://a@evil.example#.firebaseio.com",
        "https://a.firebaseio.com/../x",
    ):
        assert re.fullmatch(pattern, url) is None, url
    assert re.fullmatch(pattern, "https://a-default-rtdb.us-central1.firebasedatabase.app")
    assert re.fullmatch(pattern, "https://a-default-rtdb.firebaseio.com")


def test_replacing_data_is_deleting_it() -> None:
    assert TOOLS["realtimedatabase_set_data"].actions == {"write", "delete"}


@pytest.mark.parametrize("tool", ["firebase_deploy", "firestore_delete_document"])
def test_the_project_lies_in_the_server_s_own_state(tool: str) -> None:
    assert TOOLS[tool].blind == {"projects"}
