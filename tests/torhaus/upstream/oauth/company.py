"""A company's identity provider beside the authorization server, behind the port `Fetch`."""

from base64 import urlsafe_b64encode
from typing import Any

import msgspec

from tests.torhaus.upstream.oauth.town import ISSUER, SERVER, USER, Asked, Clock, Web, said
from tests.torhaus.upstream.purses import MemoryWallet, held
from torhaus.model.fetch import Fetched
from torhaus.model.providers import OidcProvider, Terms
from torhaus.model.secret import Secret
from torhaus.model.vault import Held, VaultKind, identity_of
from torhaus.upstream.oauth.enterprise import Enterprise, Means
from torhaus.upstream.oauth.vouching import ID_JAG, Vouching, Wish

IDP = "https://idp.example"
ALICE, BOB = "alice@example.org", "bob@example.org"
PROVIDER = OidcProvider(
    name="acme",
    label="Acme",
    terms=Terms(),
    issuer=IDP,
    client_id="gateway",
    client_secret=Secret("canary-idp-secret"),
)
METADATA = {
    "issuer": IDP,
    "authorization_endpoint": f"{IDP}/authorize",
    "token_endpoint": f"{IDP}/token",
    "jwks_uri": f"{IDP}/keys",
    "scopes_supported": ["openid", "offline_access"],
}
WISH = Wish(audience=ISSUER, resource=SERVER, client_id="there", scope="read write")
GIVEN = {"iss": IDP, "aud": ISSUER, "sub": "u-1", "client_id": "there", "resource": SERVER}
TOKEN = f"{IDP}/token"


def token(typ: str = "JWT", **claims: Any) -> str:
    """Nobody on our side of it looks at its signature."""

    def part(found: object) -> str:
        return urlsafe_b64encode(msgspec.json.encode(found)).rstrip(b"=").decode()

    return f"{part({'alg': 'ES256', 'typ': typ})}.{part(claims)}.c2lnbmF0dXJl"


def word(typ: str = "oauth-id-jag+jwt", **changes: Any) -> str:
    claims = {**GIVEN, "iat": 1000, "exp": 1300, "jti": "1", **changes}
    return token(typ, **{name: value for name, value in claims.items() if value is not None})


def identity(who: str = ALICE, **changes: Any) -> Held:
    """What was kept when he signed in."""
    known = {
        "id": f"idp-{who}",
        "server": identity_of("acme"),
        "email": who,
        "name": "acme",
        "kind": VaultKind.IDENTITY,
        "issuer": IDP,
        "account": "u-1",
        "expires": 5000.0,
        "refresh": "canary-refresh",
    }
    return held(changes.pop("value", "canary-id-token"), **{**known, **changes})


class Company:
    """`answers`: what the provider says to an exchange, `renewals`: to a refresh; the last stays.

    `provider`: as the file has it now.
    """

    def __init__(self, *helds: Held, **oauth: Any) -> None:
        self.web = Web(
            **{f"{IDP}/.well-known/openid-configuration": METADATA, TOKEN: self._provider}
        )
        self.wallet, self.clock = MemoryWallet(*helds), Clock()
        self.wallet.clock = self.clock
        known = {"provider": "acme", "issuer": ISSUER, "client_id": "there"}
        secret = {"client_secret": Secret("canary-secret")}
        self.oauth = msgspec.structs.replace(USER, **{**known, **secret, **oauth})
        self.answers: list[Fetched] = []
        self.renewals: list[Fetched] = []
        self.provider: OidcProvider | None = PROVIDER
        self.way = self.another()

    def another(self) -> Enterprise:
        """As another process has it, on the same database."""
        numbers = iter(range(1, 10_000))
        means = Means(
            wallet=self.wallet,
            fetch=lambda: self.web,
            clock=self.clock,
            ids=lambda: f"id-{next(numbers)}",
            provider=lambda _: self.provider,
        )
        return Enterprise("web", SERVER, self.oauth, means)

    def vouching(self) -> Vouching:
        return Vouching(PROVIDER, self.wallet, lambda: self.web, self.clock, lambda: "1")

    def _provider(self, asked: Asked) -> Fetched:
        refreshing = asked.form["grant_type"] == "refresh_token"
        listed = self.renewals if refreshing else self.answers
        if listed:
            return listed.pop(0) if len(listed) > 1 else listed[0]
        return renewed() if refreshing else vouches()

    def forms(self, url: str, grant: str = "") -> list[dict[str, str]]:
        """What was asked there."""
        every = [each.form for each in self.web.asked if each.url == url]
        return [each for each in every if each["grant_type"].endswith(grant)]


def vouches(assertion: str | None = None, **changes: Any) -> Fetched:
    found = {"access_token": assertion or word(), "issued_token_type": ID_JAG, "token_type": "N_A"}
    return said({**found, **changes})


def renewed(**changes: Any) -> Fetched:
    newer = token(iss=IDP, sub="u-1", exp=9000)
    found = {"access_token": "a", "token_type": "Bearer", "id_token": newer, "expires_in": 60}
    found = {**found, "refresh_token": "canary-refresh-2", **changes}
    return said({name: value for name, value in found.items() if value is not None})


def refuses(code: str) -> Fetched:
    return said({"error": code, "error_description": "canary-words"}, 400)
