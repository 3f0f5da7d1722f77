from tests.torhaus.policy.known.evidence import differences
from torhaus.policy.known.browser import PLAYWRIGHT, PUPPETEER


def test_every_tool_is_the_servers_own() -> None:
    assert list(differences(PLAYWRIGHT, "playwright")) == []
    assert list(differences(PUPPETEER, "puppeteer")) == []


def test_who_may_drive_a_browser_may_see_it_and_nobody_else() -> None:
    rows = [*PLAYWRIGHT.values(), *PUPPETEER.values()]

    assert {row.actions for row in rows} == {frozenset({"execute"})}
