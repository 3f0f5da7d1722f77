"""Somebody finds a browser open, or has its cookie: nothing that he makes of it lasts."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.clients.accounts import give_password
from tests.clients.browsing import Browser, Page
from tests.stories.chromium import Chromium
from tests.stories.signing import PASSWORD, WHO, Program
from tests.stories.town import Town, server
from tests.stories.upstream import Upstream

FILLED = """
document.querySelector('input[name=label]').value = 'build & server';
document.querySelector('select[name=lasts]').value = '90';
document.querySelector('form[action="/me/keys"] button').click();
"""
SIGNED = f"""
document.querySelector('input[name=email]').value = '{WHO}';
document.querySelector('input[name=password]').value = '{PASSWORD}';
document.querySelector('form[action="/login"] button').click();
"""
PROVED = f"""
document.querySelector('input[name=password]').value = '{PASSWORD}';
document.querySelector('form[action="/again"] button').click();
"""


def town_at(upstream: Upstream, home: Path) -> Town:
    town = Town({"mcpServers": {"scripted": server(upstream.url)}}, home)
    give_password(town.data, WHO, PASSWORD)
    return town


def an_hour_later(town: Town) -> None:
    """The sessions there are have begun an hour ago, as far as anybody knows."""
    with closing(sqlite3.connect(town.data / "state.db", timeout=60)) as database, database:
        database.execute("UPDATE families SET proved = proved - 3600, created = created - 3600")


def signed_in(town: Town) -> Browser:
    browser = Browser()
    page = browser.open(f"http://127.0.0.1:{town.port}/login")
    form = {**form_of(page, "/login"), "email": WHO, "password": PASSWORD}
    assert browser.open(f"http://127.0.0.1:{town.port}/login", form).status == 200
    return browser


def form_of(page: Page, action: str) -> dict[str, str]:
    return next(each.fields for each in page.forms if each.action == action)


def test_a_browser_asks_again_and_goes_on_with_what_was_typed(
    upstream: Upstream, tmp_path: Path
) -> None:
    if shutil.which("chromium") is None:
        pytest.skip("no chromium here")
    (tmp_path / "browser").mkdir()
    town = town_at(upstream, tmp_path / "town")
    with town, Chromium(tmp_path / "browser") as browser:
        browser.open(f"http://127.0.0.1:{town.port}/me")
        browser.until("document.querySelector('form[action=\"/login\"]') !== null")
        browser.run(SIGNED)
        browser.until("document.querySelector('input[name=label]') !== null")
        an_hour_later(town)

        browser.run(FILLED)
        browser.until("document.querySelector('form[action=\"/again\"]') !== null")
        assert browser.run("document.querySelector('code.secret')") is None
        browser.run(PROVED)
        browser.until("location.pathname === '/me' && document.readyState === 'complete'")
        assert browser.run("document.querySelector('input[name=label]').value") == "build & server"
        assert browser.run("document.querySelector('select[name=lasts]').value") == "90"
        browser.run("document.querySelector('form[action=\"/me/keys\"] button').click()")
        browser.until("document.querySelector('code.secret') !== null")

        key = browser.run("document.querySelector('code.secret').textContent")
        assert key.startswith("thk_")
        made = [each for each in town.records() if each["operation"] == "key.made"]
        assert [each["user"]["email"] for each in made] == [WHO]
    assert browser.said == [] or all("favicon" in each for each in browser.said)


def test_a_stolen_cookie_makes_no_key_and_is_worth_nothing_once_its_owner_is_back(
    upstream: Upstream, tmp_path: Path
) -> None:
    town = town_at(upstream, tmp_path / "town")
    with town:
        here = f"http://127.0.0.1:{town.port}"
        owner = signed_in(town)
        thief = Browser()
        thief.cookies = {host: dict(held) for host, held in owner.cookies.items()}
        an_hour_later(town)
        wish = {**form_of(thief.open(f"{here}/me"), "/me/keys"), "label": "mine"}

        stopped = thief.open(f"{here}/me/keys", {**wish, "lasts": "", "server": "everything"})
        assert "/again?next=" in stopped.url
        for password in ("guess", ""):
            form = {**form_of(stopped, "/again"), "password": password}
            assert thief.open(f"{here}/again", form).status == 401
        security = form_of(thief.open(f"{here}/me/security"), "")
        begun = thief.open(f"{here}/me/security", {**security, "do": "begin", "old": PASSWORD})
        assert "/again?next=" in begun.url

        page = owner.open(f"{here}/again?next=%2Fme")
        back = owner.open(f"{here}/again", {**form_of(page, "/again"), "password": PASSWORD})
        assert back.url == f"{here}/me"
        assert thief.open(f"{here}/me").url.startswith(f"{here}/login")
        assert not [each for each in town.records() if each["operation"] == "key.made"]


def test_a_stolen_cookie_lets_no_program_in(upstream: Upstream, tmp_path: Path) -> None:
    settings = {"fresh_sign_in": "1ms"}  # every session there is has begun too long ago
    town = Town({"mcpServers": {"scripted": server(upstream.url)}, "auth": settings}, tmp_path)
    give_password(town.data, WHO, PASSWORD)
    with town:
        browser = signed_in(town)
        program = Program(town.port, browser)
        program.register()
        page = browser.open(program.request())
        ticket = next(each.fields for each in page.forms if "ticket" in each.fields)

        agreed = browser.open(f"{program.origin}/authorize", {**ticket, "decision": "allow"})

        assert "/again?next=%2Fauthorize%2Fresume" in agreed.url
        given = [each for each in town.records() if each["operation"] == "consent.given"]
        assert given == []
