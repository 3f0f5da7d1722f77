"""`auth: {type: oauth}`: what goes together."""

import pytest

from tests.torhaus.config.test_serverauth import CLIENT, address
from torhaus.config.problems import ConfigError

KEY = f"{CLIENT}, private_key: abc"
ISSUER = "issuer: 'https://as.example'"
PLATFORM = "assertion: 'file:token'"


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        ("{type: oauth}", "needs mode"),
        ("{type: oauth, mode: client}", "needs client_id"),
        (f"{{{CLIENT}}}", "needs client_secret, private_key or"),
        ("{type: oauth, mode: user, client_secret: abc}", "needs client_id"),
        ("{type: oauth, mode: user, token_endpoint: 'https://a.example/t'}", "is for mode: client"),
        (f"{{{CLIENT}, client_secret: abc, private_key: abc}}", "exclude each other"),
        (f"{{{CLIENT}, private_key: abc, client_auth: client_secret_post}}", "needs client_secret"),
        (f"{{{CLIENT}, client_secret: abc, client_auth: private_key_jwt}}", "needs private_key"),
        (f"{{{CLIENT}, client_secret: abc, accounts: {{a: user}}}}", "needs mode user"),
        (f"{{{CLIENT}, client_secret: abc, {PLATFORM}, grant: client_credentials}}", "exclude"),
        (f"{{{KEY}, {PLATFORM}, grant: client_credentials}}", "exclude each other"),
        (f"{{type: oauth, mode: user, {PLATFORM}}}", "needs client_id"),
        (f"{{type: oauth, mode: client, {PLATFORM}, grant: client_credentials}}", "client_id"),
        (f"{{{CLIENT}, client_secret: abc, grant: jwt_bearer}}", "platform's assertion"),
        ("{type: oauth, mode: user, grant: client_credentials}", "grant is for mode: client"),
        (f"{{{CLIENT}, private_key: abc, client_auth: client_secret_jwt}}", "needs client_secret"),
        (f"{{{CLIENT}, client_secret: abc, algorithm: ES256}}", "Torhaus signs itself"),
        (f"{{{CLIENT}, client_secret: abc, assertion_audience: issuer}}", "Torhaus signs itself"),
        (f"{{{KEY}, algorithm: HS256}}", "HS256 does not go with a key"),
        (
            f"{{{CLIENT}, client_secret: abc, client_auth: client_secret_jwt, algorithm: ES256}}",
            "ES256 does not go with client_secret",
        ),
        (f"{{{CLIENT}, client_secret: abc, key_id: k}}", "key_id names a private key"),
        ("{type: oauth, mode: user, provider: acme, client_id: t}", "needs issuer"),
        (f"{{type: oauth, mode: user, provider: acme, {ISSUER}}}", "needs client_id"),
        (f"{{type: oauth, mode: shared, client_id: t, provider: acme, {ISSUER}}}", "of callers"),
        (f"{{{CLIENT}, client_secret: abc, provider: acme, {ISSUER}}}", "of callers"),
        (f"{{{CLIENT}, assertion: /var/run/token}}", "does not say where the JWT is"),
        (f"{{{CLIENT}, assertion: 'exec: '}}", "does not say where the JWT is"),
        (f"{{{CLIENT}, assertion: 'exec:print ${{S}}'}}", "without variables"),
    ],
)
def test_a_mistake_is_named(auth: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        address(auth)

    assert any(words in problem.message for problem in caught.value.problems), caught.value


@pytest.mark.parametrize(
    ("auth", "federated"),
    [
        (f"{{type: oauth, mode: client, {PLATFORM}}}", True),
        (f"{{{CLIENT}, client_secret: abc, {PLATFORM}}}", True),
        (f"{{{CLIENT}, {PLATFORM}, grant: client_credentials}}", False),
        (f"{{type: oauth, mode: user, client_id: torhaus, {PLATFORM}}}", False),
    ],
)
def test_the_platforms_word_is_the_grant_where_nobody_says_else(auth: str, federated: bool) -> None:
    found = address(auth).oauth

    assert found is not None
    assert found.federated is federated
    assert found.assertion is not None
    assert (found.assertion.scheme, found.assertion.what) == ("file", "token")
