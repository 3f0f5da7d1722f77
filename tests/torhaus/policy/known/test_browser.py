import pytest

from tests.torhaus.policy.known.evidence import differences, offered
from torhaus.model.servers import Server, StdioAddress
from torhaus.policy.classify import classify
from torhaus.policy.known.browser import PLAYWRIGHT, PUPPETEER
from torhaus.policy.names import normal


def test_every_tool_is_the_servers_own() -> None:
    assert list(differences(PLAYWRIGHT, "playwright")) == []
    assert list(differences(PUPPETEER, "puppeteer")) == []


def test_who_may_drive_a_browser_may_see_it_and_nobody_else() -> None:
    rows = [*PLAYWRIGHT.values(), *PUPPETEER.values()]

    assert {row.actions for row in rows} == {frozenset({"execute"})}


@pytest.mark.parametrize(
    "arguments",
    [
        {"launchOptions": {"executablePath": "/bin/sh"}},
        {"launchOptions": "{}"},
        {"allowDangerous": True},
        {"AllowDangerous": True},
    ],
)
def test_nobody_may_choose_the_program_that_is_the_browser(arguments: dict[str, object]) -> None:
    classes = {normal(name): row for name, row in PUPPETEER.items()}
    server = Server(name="p", address=StdioAddress(command="x"), classes=classes)
    given = {"url": "https://acme.example", **arguments}

    assert classify(server, "puppeteer_navigate", given, {}).problem
    assert classify(server, "puppeteer_navigate", {"url": "https://a.example"}, {}).problem is None
    assert {name for name, _ in PUPPETEER["puppeteer_navigate"].pinned} <= set(
        offered("puppeteer")["puppeteer_navigate"] or {}
    )
