"""Whole sign-ins over HTTP: a browser, a real gateway, and identity providers that others wrote."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.gateway import Gateway
from tests.clients.identity import SECRET, Browser, close, form_of, oidc_provider, samlp
from tests.torhaus.signin.slapd import GROUPS, PEOPLE, SEARCH, WORD, person, slapd

PEOPLE_OF = """
mcpServers: {tickets: {url: "http://127.0.0.1:9/"}}
roles: {developer: {permissions: ["tickets:*"]}}
auth:
"""
OIDC = """
  oidc:
    label: Company
    issuer: http://127.0.0.1:PORT
    client_id: torhaus
    client_secret: ${SECRET}
    groups: {developers: developer}
"""
SAML = """
  saml:
    label: Company
    metadata_file: idp.xml
    email_attribute: ["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/email", email]
    groups_attribute: ["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/groups", groups]
    groups: {developers: developer}
"""
LDAP = f"""
  ldap:
    label: Company
    url: ldap://localhost:PORT
    ca_file: CA
    base: {PEOPLE}
    bind_dn: {SEARCH}
    bind_password: ${{WORD}}
    groups_base: {GROUPS}
    groups: {{developers: developer}}
"""


@pytest.fixture
def browser() -> Iterator[Browser]:
    found = Browser()
    yield found
    close(found)


@pytest.fixture
def door(tmp_path: Path) -> Gateway:
    """Not started: its port has to be known first."""
    return Gateway("{}", tmp_path / "gateway", {"SECRET": SECRET, "WORD": WORD})


def configured(door: Gateway, text: str) -> Gateway:
    door.file.write_text(PEOPLE_OF + text)
    return door


def base(door: Gateway) -> str:
    return f"http://127.0.0.1:{door.port}"


def acts(door: Gateway, *operations: str) -> list[dict[str, Any]]:
    return [each for each in door.records() if each["operation"] in operations]


def signed_in(browser: Browser, door: Gateway) -> bool:
    """Whether the browser is somebody, without going anywhere."""
    page = browser.http.get(f"{base(door)}/me")
    assert page.status_code in (200, 303), page.text
    return page.status_code == 200


@pytest.fixture
def oidc(node: str, tmp_path: Path, door: Gateway) -> Iterator[str]:
    """A gateway in front of oidc-provider; its issuer."""
    callback, logout = (f"{base(door)}/{each}/oidc" for each in ("callback", "backchannel-logout"))
    with ExitStack() as running:
        idp = running.enter_context(oidc_provider(node, tmp_path, callback, logout))
        running.enter_context(configured(door, OIDC.replace("PORT", str(idp.port))))
        yield f"http://127.0.0.1:{idp.port}"


def test_alice_signs_in_with_openid_connect(oidc: str, door: Gateway, browser: Browser) -> None:
    login = browser.open(f"{base(door)}/login")
    assert "Company" in login.text
    assert "/login/oidc" in login.text
    page = browser.open(f"{base(door)}/login/oidc")
    assert str(page.url).startswith(oidc)

    inside = browser.fill(page, login="alice", password="alice-word")

    assert inside.status_code == 200
    assert str(inside.url).startswith(base(door))
    assert signed_in(browser, door)
    assert "alice@example.com" in browser.open(f"{base(door)}/me").text
    [came] = acts(door, "signin.succeeded")
    assert came["user"]["email"] == "alice@example.com"
    assert came["parameters"]["provider"] == "oidc"
    assert SECRET not in door.output()


def test_whoever_has_no_group_that_counts_stays_outside(
    oidc: str, door: Gateway, browser: Browser
) -> None:
    page = browser.open(f"{base(door)}/login/oidc")

    outside = browser.fill(page, login="carol", password="carol-word")

    assert outside.status_code == 403
    assert not signed_in(browser, door)
    assert acts(door, "signin.succeeded") == []
    assert len(acts(door, "signin.refused")) == 1


def test_an_answer_counts_once_and_in_the_browser_that_left(
    oidc: str, door: Gateway, browser: Browser
) -> None:
    page = browser.open(f"{base(door)}/login/oidc")
    back = browser.fill(page, stop=base(door), login="alice", password="alice-word")
    answer = back.headers["location"]

    assert httpx.get(answer, trust_env=False).status_code == 400
    assert browser.http.get(answer).status_code == 303
    assert signed_in(browser, door)
    other = Browser()
    assert other.http.get(answer).status_code == 400
    close(other)


def test_whoever_signs_out_at_the_provider_is_signed_out_here(
    oidc: str, door: Gateway, browser: Browser
) -> None:
    browser.fill(browser.open(f"{base(door)}/login/oidc"), login="alice", password="alice-word")
    assert signed_in(browser, door)

    asked = browser.open(f"{oidc}/session/end?client_id=torhaus")
    browser.fill(asked, logout="yes")

    assert not signed_in(browser, door)
    assert acts(door, "signout")[-1]["result"]["status"] == "success"


def test_a_provider_that_is_taken_out_of_the_file_lets_nobody_in(
    oidc: str, door: Gateway, browser: Browser
) -> None:
    page = browser.open(f"{base(door)}/login/oidc")
    door.file.write_text(PEOPLE_OF.replace("auth:", ""))
    while "/login/oidc" in httpx.get(f"{base(door)}/login", trust_env=False).text:
        pass

    outside = browser.fill(page, login="alice", password="alice-word")

    assert outside.status_code == 404
    assert not signed_in(browser, door)


@pytest.fixture
def saml(node: str, tmp_path: Path, door: Gateway) -> Iterator[str]:
    """A gateway in front of samlp; its address."""
    with ExitStack() as running:
        idp = running.enter_context(samlp(node, tmp_path, f"{base(door)}/callback/saml"))
        where = f"http://127.0.0.1:{idp.port}"
        metadata = httpx.get(f"{where}/metadata", trust_env=False).text
        (door.home / "idp.xml").write_text(metadata)
        running.enter_context(configured(door, SAML))
        yield where


def test_alice_signs_in_with_saml(saml: str, door: Gateway, browser: Browser) -> None:
    page = browser.open(f"{base(door)}/login/saml")
    assert str(page.url).startswith(saml)
    action, form = form_of(browser.fill(page, login="alice", password="alice-word"))
    assert action == f"{base(door)}/callback/saml"
    # The form comes from another site, so the browser sends it without our cookies.
    posted = httpx.post(action, data=form, trust_env=False)
    assert posted.status_code == 303

    stranger = httpx.get(f"{base(door)}{posted.headers['location']}", trust_env=False)
    inside = browser.open(f"{base(door)}{posted.headers['location']}")

    assert stranger.status_code == 400
    assert inside.status_code == 200
    assert signed_in(browser, door)
    again = httpx.post(action, data=form, trust_env=False)
    assert again.status_code in (400, 403)
    [came] = acts(door, "signin.succeeded")
    assert came["user"]["email"] == "alice@example.com"


def test_a_saml_answer_that_nobody_asked_for_is_refused(
    saml: str, door: Gateway, browser: Browser
) -> None:
    page = browser.open(f"{base(door)}/login/saml")
    action, form = form_of(browser.fill(page, login="alice", password="alice-word"))

    for state in ("", "x" * 64, "0" * 64):
        unasked = httpx.post(action, data={**form, "RelayState": state}, trust_env=False)
        assert unasked.status_code == 400
    assert acts(door, "signin.succeeded") == []


def test_our_saml_metadata_is_there_for_the_providers_administrator(
    saml: str, door: Gateway
) -> None:
    answer = httpx.get(f"{base(door)}/saml/saml/metadata", trust_env=False)

    assert answer.status_code == 200
    assert f'entityID="{base(door)}/saml/saml/metadata"' in answer.text
    assert f"{base(door)}/callback/saml" in answer.text


def test_alice_signs_in_with_a_directory(tmp_path: Path, door: Gateway, browser: Browser) -> None:
    (tmp_path / "slapd").mkdir()
    with slapd(tmp_path / "slapd") as directory:
        directory.add(person("eve"))
        text = LDAP.replace("PORT", str(directory.plain)).replace("CA", directory.ca_file)
        with configured(door, text):
            page = browser.open(f"{base(door)}/login")
            typed = {"email": "alice", "directory": "ldap"}
            wrong = browser.fill(page, **typed, password="wrong")
            assert wrong.status_code == 401
            assert not signed_in(browser, door)
            for name in ("eve", "*", "alice)(uid=*"):
                nobody = browser.fill(page, directory="ldap", email=name, password=f"{name}-word")
                assert nobody.status_code in (401, 403)
            inside = browser.fill(page, **typed, password="alice-word")
            assert inside.status_code == 200
            assert signed_in(browser, door)
            [came] = acts(door, "signin.succeeded")
            assert came["user"]["email"] == "alice@example.test"
            assert "alice-word" not in door.output()


SEVERAL = """
  providers:
    - {name: one, type: oidc, issuer: "http://127.0.0.1:ONE", client_id: torhaus,
       client_secret: "${SECRET}", groups: {developers: developer}, link_by_email: true}
    - {name: two, type: oidc, issuer: "http://127.0.0.1:TWO", client_id: torhaus,
       client_secret: "${SECRET}", groups: {developers: developer}, link_by_email: true}
"""


def test_the_same_address_at_a_second_provider_is_somebody_else(
    node: str, tmp_path: Path, door: Gateway, browser: Browser
) -> None:
    with ExitStack() as running:
        ports = {}
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            callback = f"{base(door)}/callback/{name}"
            idp = running.enter_context(oidc_provider(node, tmp_path / name, callback))
            ports[name.upper()] = str(idp.port)
        text = SEVERAL.replace("ONE", ports["ONE"]).replace("TWO", ports["TWO"])
        running.enter_context(configured(door, text))

        page = browser.open(f"{base(door)}/login/one")
        browser.fill(page, login="alice", password="alice-word")
        assert signed_in(browser, door)
        other = Browser()
        page = other.open(f"{base(door)}/login/two")
        outside = other.fill(page, login="alice", password="alice-word")
        close(other)

        assert outside.status_code == 403
        assert "another account" in outside.text
        [came] = acts(door, "signin.succeeded")
        assert came["parameters"]["provider"] == "one"


def test_a_provider_that_is_down_is_said_at_once_and_others_still_work(
    oidc: str, door: Gateway, browser: Browser
) -> None:
    text = OIDC.replace("PORT", "9").replace("oidc:", "oauth:")
    door.file.write_text(PEOPLE_OF + text + OIDC.replace("PORT", oidc.rpartition(":")[2]))
    while "/login/oauth" not in httpx.get(f"{base(door)}/login", trust_env=False).text:
        pass

    down = browser.open(f"{base(door)}/login/oauth")

    assert down.status_code == 502
    assert "cannot be asked right now" in down.text
    page = browser.open(f"{base(door)}/login/oidc")
    assert browser.fill(page, login="alice", password="alice-word").status_code == 200
    assert signed_in(browser, door)
