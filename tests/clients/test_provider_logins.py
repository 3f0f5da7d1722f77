"""People sign in at a real gateway through identity providers that others wrote."""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from html import unescape
from pathlib import Path

import httpx
import pytest

from tests.clients.gateway import Gateway
from tests.clients.identity import SECRET, Browser, close, form_of, oidc_provider, samlp

ALICE = "alice@example.com"


@pytest.fixture
def browser() -> Iterator[Browser]:
    found = Browser()
    yield found
    close(found)


def gateway(home: Path, provider: str) -> Gateway:
    return Gateway(
        f"""
roles: {{developer: {{permissions: ["*"]}}}}
mcpServers: {{}}
auth:
  {provider}
""",
        home,
    )


def configured(made: Gateway, provider: str) -> None:
    made.file.write_text(made.file.read_text().replace("PROVIDER", provider))


def oidc(idp: int) -> str:
    return f"""oidc:
    issuer: http://127.0.0.1:{idp}
    client_id: torhaus
    client_secret: {SECRET}
    groups: {{developers: developer}}"""


def test_somebody_signs_in_with_openid_connect_and_out_from_there(
    node: str, tmp_path: Path, browser: Browser
) -> None:
    house = gateway(tmp_path / "gateway", "PROVIDER")
    here = f"http://127.0.0.1:{house.port}"
    out = f"{here}/backchannel-logout/oidc"
    with oidc_provider(node, tmp_path, f"{here}/callback/oidc", out) as idp:
        configured(house, oidc(idp.port))
        with house:
            wanted = browser.open(f"{here}/me")
            assert str(wanted.url) == f"{here}/login?next=%2Fme"
            page = browser.open(link(wanted.text, "/login/oidc", here))
            back = browser.fill(page, login="alice", password="alice-word")

            assert str(back.url) == f"{here}/me"
            assert ALICE in back.text
            assert "You are here as developer." in back.text
            operations = [each["operation"] for each in house.records()]
            assert "signin.succeeded" in operations
            left = browser.fill(back)
            there = link(left.text, f"http://127.0.0.1:{idp.port}/", "")
            assert browser.open(f"{here}/me").url.path == "/login"
            assert browser.open(there).status_code == 200


def test_who_is_in_no_group_that_counts_does_not_come_in(
    node: str, tmp_path: Path, browser: Browser
) -> None:
    house = gateway(tmp_path / "gateway", "PROVIDER")
    here = f"http://127.0.0.1:{house.port}"
    with oidc_provider(node, tmp_path, f"{here}/callback/oidc") as idp:
        configured(house, oidc(idp.port))
        with house:
            page = browser.open(f"{here}/login/oidc")
            back = browser.fill(page, login="carol", password="carol-word")

            assert back.status_code == 403
            assert "You have no access here" in back.text
            assert browser.open(f"{here}/me").url.path == "/login"


def test_the_provider_signs_somebody_out_here(node: str, tmp_path: Path, browser: Browser) -> None:
    house = gateway(tmp_path / "gateway", "PROVIDER")
    here = f"http://127.0.0.1:{house.port}"
    out = f"{here}/backchannel-logout/oidc"
    with oidc_provider(node, tmp_path, f"{here}/callback/oidc", out) as idp:
        configured(house, oidc(idp.port))
        with house:
            page = browser.open(f"{here}/login/oidc")
            browser.fill(page, login="alice", password="alice-word")
            ask = browser.open(f"http://127.0.0.1:{idp.port}/session/end")
            browser.fill(ask, logout="yes")

            until = time.monotonic() + 60
            while browser.open(f"{here}/me").url.path == "/me" and time.monotonic() < until:
                time.sleep(0.05)

            assert browser.open(f"{here}/me").url.path == "/login"
            assert house.records()[-1]["operation"] == "signout"


def test_somebody_signs_in_with_saml(node: str, tmp_path: Path, browser: Browser) -> None:
    house = gateway(tmp_path / "gateway", "PROVIDER")
    here = f"http://127.0.0.1:{house.port}"
    with samlp(node, tmp_path, f"{here}/callback/saml", "both") as idp:
        metadata = tmp_path / "idp.xml"
        metadata.write_text(browser.open(f"http://127.0.0.1:{idp.port}/metadata").text)
        configured(house, saml(metadata))
        with house:
            told = browser.open(f"{here}/saml/saml/metadata")
            assert f"{here}/callback/saml" in told.text
            page = browser.open(f"{here}/login/saml?next=/me")
            answer = browser.fill(page, login="alice", password="alice-word")
            action, form = form_of(answer)
            assert action == f"{here}/callback/saml"
            headers = {"origin": f"http://127.0.0.1:{idp.port}", "sec-fetch-site": "cross-site"}
            back = browser.follow(browser.http.post(action, data=form, headers=headers))

            assert str(back.url) == f"{here}/me"
            assert ALICE in back.text
            again = browser.http.post(action, data=form, headers=headers)
            assert again.status_code == 400


KEY = {"label": "build & server", "server": "everything", "lasts": "90", "scopes": ""}


def an_hour_later(made: Gateway) -> None:
    """As far as anybody here knows, people have proved themselves an hour ago."""
    with closing(sqlite3.connect(made.data / "state.db", timeout=60)) as database, database:
        database.execute("UPDATE families SET proved = proved - 3600")


def wished(browser: Browser, here: str, provider: str) -> str:
    """He wants a key, and is asked for more first; where the page leads to."""
    _, form = form_of(browser.open(f"{here}/me"))
    asked = browser.follow(browser.http.post(f"{here}/me/keys", data={**form, **KEY}))
    assert asked.url.path == "/again"
    assert "thk_" not in asked.text
    return link(asked.text, f"/again/{provider}?", here)


def makes(browser: Browser, back: httpx.Response, here: str) -> None:
    assert 'value="build &amp; server"' in back.text
    _, form = form_of(back)
    made = browser.follow(browser.http.post(f"{here}/me/keys", data={**form, **KEY}))
    assert "thk_" in made.text


def test_whoever_is_signed_in_at_openid_connect_proves_himself_there_before_a_key(
    node: str, tmp_path: Path, browser: Browser
) -> None:
    house = gateway(tmp_path / "gateway", "PROVIDER")
    here = f"http://127.0.0.1:{house.port}"
    with oidc_provider(node, tmp_path, f"{here}/callback/oidc") as idp:
        configured(house, oidc(idp.port))
        with house:
            page = browser.open(f"{here}/login/oidc")
            browser.fill(page, login="alice", password="alice-word")
            an_hour_later(house)

            # The provider knows her still, and lets her in elsewhere without a question.
            there = browser.open(wished(browser, here, "oidc"))
            assert str(there.url).startswith(f"http://127.0.0.1:{idp.port}/interaction/")
            back = browser.fill(there, login="alice", password="alice-word")
            assert str(back.url).startswith(f"{here}/me?label=build")
            makes(browser, back, here)

            an_hour_later(house)
            there = browser.open(wished(browser, here, "oidc"))
            leaves = browser.fill(there, login="dora", password="dora-word")
            other = browser.fill(leaves)  # the provider ends Alice's session there
            assert other.status_code == 403
            assert "another account" in other.text
            ends = [each["result"]["status"] for each in house.records()]
            assert ends[-1] == "denied"


def test_whoever_is_signed_in_with_saml_proves_himself_there_before_a_key(
    node: str, tmp_path: Path, browser: Browser
) -> None:
    house = gateway(tmp_path / "gateway", "PROVIDER")
    here = f"http://127.0.0.1:{house.port}"
    with samlp(node, tmp_path, f"{here}/callback/saml", "both") as idp:
        metadata = tmp_path / "idp.xml"
        metadata.write_text(browser.open(f"http://127.0.0.1:{idp.port}/metadata").text)
        configured(house, saml(metadata))
        origin = f"http://127.0.0.1:{idp.port}"
        with house:
            delivered(browser, browser.open(f"{here}/login/saml"), origin)
            an_hour_later(house)

            there = browser.open(wished(browser, here, "saml"))
            back = delivered(browser, there, origin)

            assert str(back.url).startswith(f"{here}/me?label=build")
            makes(browser, back, here)


def delivered(browser: Browser, page: httpx.Response, origin: str) -> httpx.Response:
    """Alice signs in at the SAML provider, whose form brings its answer."""
    action, form = form_of(browser.fill(page, login="alice", password="alice-word"))
    headers = {"origin": origin, "sec-fetch-site": "cross-site"}
    return browser.follow(browser.http.post(action, data=form, headers=headers))


def saml(metadata: Path) -> str:
    claims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
    return f"""saml:
    metadata_file: {metadata}
    subject_attribute: uid
    email_attribute: ["{claims}/email", email]
    groups_attribute: ["{claims}/groups", groups]
    groups: {{developers: developer}}"""


def link(page: str, start: str, here: str) -> str:
    """The first link of the page that begins so."""
    found = [unescape(each) for each in re.findall(r'href="([^"]+)"', page)]
    leads = [each for each in found if each.startswith(start)]
    assert leads, found
    return here + leads[0]
