import json

import pytest

from tests.torhaus.upstream.oauth.town import METADATA, RESOURCE, SERVER
from torhaus.upstream.oauth import wellknown
from torhaus.upstream.oauth.wellknown import Challenge, MetadataError

ISSUER = "https://as.example"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", Challenge()),
        ("Basic realm=x", Challenge()),
        ("Bearer", Challenge()),
        (
            'Bearer resource_metadata="https://a/m", scope="read write", error="invalid_token"',
            Challenge("https://a/m", "read write", "invalid_token"),
        ),
        ("bearer error=insufficient_scope", Challenge(error="insufficient_scope")),
        ('Basic realm="x", Bearer scope="a"', Challenge(scope="a")),
        ('Bearer scope="a\x00b"', Challenge()),
        ('DPoP algs="ES256", scope="a"', Challenge(scope="a", bound=True)),
        ('Bearer scope="a", DPoP scope="b"', Challenge(scope="a")),
        ('DPoP scope="b", Bearer realm="x, DPoP y", scope="a"', Challenge(scope="a")),
        ('Bearer error_description="say \\"DPoP\\", not Basic", error=x', Challenge(error="x")),
        ('Bearer scope="' + "a" * 9000 + '"', Challenge()),
    ],
)
def test_a_challenge_is_read(header, found):
    assert wellknown.challenge(header) == found


def test_of_a_token_that_is_bound_the_other_challenge_counts():
    header = 'Bearer error="invalid_token", DPoP error="use_dpop_nonce"'

    assert wellknown.challenge(header, bound=True) == Challenge(error="use_dpop_nonce", bound=True)
    assert wellknown.challenge("Bearer error=x", bound=True) == Challenge(error="x")


def test_what_tokens_are_bound_to_is_read():
    about = json.dumps({**RESOURCE, "dpop_bound_access_tokens_required": True}).encode()
    metadata = {**METADATA, "dpop_signing_alg_values_supported": ["ES256", 7]}

    assert wellknown.resource(about, SERVER).bound
    assert not wellknown.resource(json.dumps(RESOURCE).encode(), SERVER).bound
    assert wellknown.authority(json.dumps(metadata).encode(), ISSUER).proofs == ("ES256",)


def test_documents_of_a_server_are_looked_for_below_its_path_first():
    assert wellknown.resource_documents("https://a.example/x/mcp", "") == [
        "https://a.example/.well-known/oauth-protected-resource/x/mcp",
        "https://a.example/.well-known/oauth-protected-resource",
    ]
    assert wellknown.resource_documents("https://a.example", "https://a.example/m") == [
        "https://a.example/m"
    ]


def test_documents_of_an_issuer_are_looked_for_in_the_order_of_the_specification():
    assert wellknown.issuer_documents("https://as.example/t/1") == [
        "https://as.example/.well-known/oauth-authorization-server/t/1",
        "https://as.example/.well-known/openid-configuration/t/1",
        "https://as.example/t/1/.well-known/openid-configuration",
    ]
    assert wellknown.issuer_documents("https://as.example/") == [
        "https://as.example/.well-known/oauth-authorization-server",
        "https://as.example/.well-known/openid-configuration",
    ]


@pytest.mark.parametrize(
    ("resource", "good"),
    [
        (SERVER, True),
        ("https://mcp.example", True),
        ("https://mcp.example/", True),
        ("https://MCP.example/mcp", True),
        ("https://mcp.example/mc", False),
        ("https://mcp.example/mcp/deeper", False),
        ("https://mcp.example.evil/mcp", False),
        ("https://evil.example/mcp", False),
        ("http://mcp.example/mcp", False),
        ("", False),
        (None, False),
    ],
)
def test_metadata_must_be_about_the_server(resource, good):
    body = json.dumps({**RESOURCE, "resource": resource}).encode()

    if good:
        assert wellknown.resource(body, SERVER).authorities == (ISSUER,)
    else:
        with pytest.raises(MetadataError, match="another resource"):
            wellknown.resource(body, SERVER)


@pytest.mark.parametrize(
    ("issuer", "said", "good"),
    [
        (ISSUER, ISSUER, True),
        (f"{ISSUER}/", ISSUER, True),
        (ISSUER, f"{ISSUER}/", True),
        (ISSUER, "https://evil.example", False),
        (ISSUER, "https://AS.example", False),
        (f"{ISSUER}/t", f"{ISSUER}/t/", False),
        (ISSUER, None, False),
    ],
)
def test_metadata_must_be_of_the_issuer(issuer, said, good):
    body = json.dumps({**METADATA, "issuer": said}).encode()

    if good:
        assert wellknown.authority(body, issuer).issuer == said
    else:
        with pytest.raises(MetadataError, match="another issuer"):
            wellknown.authority(body, issuer)


@pytest.mark.parametrize(
    "changes",
    [
        {"token_endpoint": None},
        {"token_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"registration_endpoint": "file:///etc/passwd"},
    ],
)
def test_endpoints_are_urls(changes):
    with pytest.raises(MetadataError):
        wellknown.authority(json.dumps({**METADATA, **changes}).encode(), ISSUER)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100000])
def test_what_is_no_object_is_refused(body):
    with pytest.raises(MetadataError):
        wellknown.resource(body, SERVER)
    with pytest.raises(MetadataError):
        wellknown.authority(body, ISSUER)
    with pytest.raises(MetadataError):
        wellknown.proves_keys(body)


def test_pkce_must_be_promised():
    assert wellknown.proves_keys(json.dumps(METADATA).encode())
    for methods in (None, [], ["plain"], "S256"):
        body = {**METADATA, "code_challenge_methods_supported": methods}
        assert not wellknown.proves_keys(json.dumps(body).encode())


def test_servers_of_old_have_endpoints_at_their_origin():
    found = wellknown.fallback("https://mcp.example")

    assert (found.authorization, found.token, found.registration) == (
        "https://mcp.example/authorize",
        "https://mcp.example/token",
        "https://mcp.example/register",
    )
