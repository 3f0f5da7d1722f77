"""Our side of OpenID Connect and SAML against providers that others wrote."""

import asyncio
import contextlib
import datetime
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.clients.identity import SECRET, Browser, close, form_of, oidc_provider, samlp
from tests.ports import free_port
from tests.shared import SHARED
from torhaus.model.providers import Gains, OidcProvider, SamlProvider, Terms
from torhaus.model.secret import Secret
from torhaus.model.signin import Arrival, Departure, Identity, Redirecting, SignInError
from torhaus.signin.oidc import OidcSignIn
from torhaus.signin.saml import SamlSignIn
from torhaus.signin.saml_keys import pair
from torhaus.upstream.egress import Egress

CALLBACK = "http://127.0.0.1:1/callback/company"
TERMS = Terms(groups={"developers": Gains(roles=("developer",))})


@pytest.fixture
def browser() -> Iterator[Browser]:
    found = Browser()
    yield found
    close(found)


def leave(ours: Redirecting) -> Departure:
    return asyncio.run(ours.depart("a-state", CALLBACK, time.time()))


def arrive(ours: Redirecting, left: Departure, **brought: dict[str, str]) -> Identity:
    arrival = Arrival(private=left.private, **brought)
    try:
        return asyncio.run(ours.arrive(arrival, CALLBACK, time.time()))
    except SignInError as error:
        error.add_note(error.detail)  # its text is for the person, and says nothing of why
        raise


def oidc(port: int, **more: Any) -> OidcSignIn:
    said = {
        "name": "company",
        "label": "Company",
        "terms": TERMS,
        "issuer": f"http://127.0.0.1:{port}",
        "client_id": "torhaus",
        "client_secret": Secret(SECRET),
    }
    return OidcSignIn(OidcProvider(**{**said, **more}), Egress())


def test_oidc_provider_lets_alice_in(node: str, tmp_path: Path, browser: Browser) -> None:
    with oidc_provider(node, tmp_path, CALLBACK) as idp:
        ours = oidc(idp.port)
        left = leave(ours)
        page = browser.open(left.url)
        back = browser.fill(page, stop=CALLBACK, login="alice", password="alice-word")
        query = dict(parse_qsl(urlsplit(back.headers["location"]).query))

        found = arrive(ours, left, query=query)

        assert query["iss"] == f"http://127.0.0.1:{idp.port}"
        assert query["state"] == "a-state"
        assert (found.subject, found.email) == ("u-alice", "alice@example.com")
        assert (found.name, found.groups) == ("Alice", ("developers",))
        with pytest.raises(SignInError):  # a code counts once
            arrive(ours, left, query=query)
        out = asyncio.run(ours.farewell(found.id_token_hint, "http://127.0.0.1:1/login", 0.0))
        assert out is not None
        assert browser.open(out).status_code == 200


def test_oidc_provider_refuses_a_wrong_secret(node: str, tmp_path: Path, browser: Browser) -> None:
    with oidc_provider(node, tmp_path, CALLBACK) as idp:
        ours = oidc(idp.port, client_secret=Secret("wrong"))
        left = leave(ours)
        page = browser.open(left.url)
        back = browser.fill(page, stop=CALLBACK, login="alice", password="alice-word")
        query = dict(parse_qsl(urlsplit(back.headers["location"]).query))

        with pytest.raises(SignInError) as error:
            arrive(ours, left, query=query)

        assert "invalid_client" in error.value.detail


@pytest.mark.parametrize("sign", ["assertion", "both"])
def test_samlp_lets_alice_in_once(node: str, tmp_path: Path, browser: Browser, sign: str) -> None:
    with samlp(node, tmp_path, CALLBACK, sign) as idp:
        ours = saml(browser.open(f"http://127.0.0.1:{idp.port}/metadata").text, once())
        left = leave(ours)
        page = browser.open(left.url)
        _, form = form_of(browser.fill(page, login="alice", password="alice-word"))

        found = arrive(ours, left, form=form)

        assert form["RelayState"] == "a-state"
        assert (found.subject, found.email) == ("u-alice", "alice@example.com")
        assert found.groups == ("developers",)
        assert found.issuer == f"http://127.0.0.1:{idp.port}/metadata"
        with pytest.raises(SignInError) as error:
            arrive(ours, left, form=form)
        assert "used before" in error.value.detail
        with pytest.raises(SignInError) as error:
            arrive(ours, leave(ours), form=form)
        assert "another request" in error.value.detail


def saml(metadata: str, seen: Callable[..., Any], **more: Any) -> SamlSignIn:
    key, certificate = pair(datetime.datetime.now(datetime.UTC))
    said = {
        "name": "company",
        "label": "Company",
        "terms": TERMS,
        "metadata": metadata,
        "subject_attributes": (UID,),
        "email_attributes": (f"{CLAIM}email", "email"),
        "groups_attributes": (f"{CLAIM}groups", "groups"),
    }
    return SamlSignIn(SamlProvider(**{**said, **more}), Egress(), seen, key, certificate)


CLAIM = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
UID = "uid"


def once() -> Callable[..., Any]:
    seen: set[tuple[str, str]] = set()

    async def first(source: str, id_: str, expires: float) -> bool:
        known = (source, id_) in seen
        seen.add((source, id_))
        return not known

    return first


# Providers of Debian, started by scripts that are not part of the repository


@contextlib.contextmanager
def of_debian(script: str, program: str, folder: Path, **env: str) -> Iterator[int]:
    """Skips where the script or the program is missing."""
    path = SHARED / "tools" / "idp" / script
    if not path.exists() or not Path(program).exists():
        pytest.skip(f"no {program} here, or no {path}")
    port = free_port()
    command = [str(path), "start", str(folder / "idp"), str(port)]
    done = subprocess.run(
        command, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        assert b"READY" in done.stdout, done.stdout.decode()
        yield port
    finally:
        subprocess.run([str(path), "stop", str(folder / "idp")], check=False)


def test_glewlwyd_lets_alice_in(tmp_path: Path) -> None:
    env = {"REDIRECT_URI": CALLBACK}
    with of_debian("glewlwyd.sh", "/usr/bin/glewlwyd", tmp_path, **env) as port:
        base = f"http://127.0.0.1:{port}/api"
        ours = oidc(
            port,
            issuer=f"{base}/oidc",
            client_secret=Secret("torhaus-secret"),
            scopes=("openid",),
            email_claim="email_",
            assume_verified=True,
        )
        left = leave(ours)
        with httpx.Client(trust_env=False) as browser:
            signed = browser.post(
                f"{base}/auth", json={"username": "alice", "password": "alice-pw"}
            )
            # It sets a cookie for an empty domain, which no browser sends back.
            cookie = {"cookie": signed.headers["set-cookie"].partition(";")[0]}
            browser.put(f"{base}/auth/grant/torhaus", json={"scope": "openid"}, headers=cookie)
            back = browser.get(f"{left.url}&g_continue", headers=cookie)
        query = dict(parse_qsl(urlsplit(back.headers["location"]).query))

        found = arrive(ours, left, query=query)

        assert found.subject
        assert found.email == "alice@example.test"
        assert found.issuer == f"{base}/oidc"


def test_simplesamlphp_lets_alice_in(tmp_path: Path, browser: Browser) -> None:
    env = {"SP_ENTITY": "http://127.0.0.1:1/saml/company/metadata", "ACS": CALLBACK}
    program = "/usr/share/simplesamlphp/www/module.php"
    with of_debian("simplesaml.sh", program, tmp_path, **env) as port:
        metadata = browser.open(f"http://127.0.0.1:{port}/saml2/idp/metadata.php").text
        ours = saml(metadata, once(), email_attributes=("email",), groups_attributes=("groups",))
        left = leave(ours)
        page = browser.open(left.url)
        back = browser.fill(page, username="alice", password="alice-pw")
        _, form = form_of(back)
        assert "SAMLResponse" in form, back.text  # else the provider has not let her in

        found = arrive(ours, left, form=form)

        assert (found.subject, found.email) == ("u-alice", "alice@example.test")
        assert found.groups == ("developers",)
