"""`torhaus users reset-link`, against a running gateway."""

import json
import urllib.request
from collections.abc import Iterator

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.keeping import OWNER, keeping
from tests.torhaus.cli.terminal import CONFIG, KEY, Said, torhaus

TEXT = CONFIG.replace("[git.*]", "['*']")


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with keeping(tmp_path_factory.mktemp("users"), TEXT) as found:
        yield found


def users(gate: Gate, *words: str, key: str = OWNER) -> Said:
    env = {"TORHAUS_KEY": key, "TORHAUS_URL": gate.url}
    return torhaus("users", *words, at=gate.home, env=env)


def test_a_reset_link_leads_to_the_page_that_sets_a_password(gate: Gate) -> None:
    said = users(gate, "reset-link", "alice@example.com")
    told = users(gate, "reset-link", "alice@example.com", "--second-factor", "--json")

    assert (said.code, told.code) == (0, 0), said.err + told.err
    assert "/reset/" in said.out
    with urllib.request.urlopen(json.loads(told.out)["url"], timeout=120) as page:
        assert "alice@example.com" in page.read().decode()


def test_who_does_not_administer_and_for_whom_nobody_knows_there_is_none(gate: Gate) -> None:
    no = users(gate, "reset-link", "olga@example.com", key=KEY)
    unknown = users(gate, "reset-link", "nobody@example.com")

    assert (no.code, unknown.code) == (1, 1)
    assert "admin permission" in no.err
    assert "nobody who may sign in here" in unknown.err
