"""Out to the authorization server, and back."""

import asyncio
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from tests.torhaus.upstream.oauth.town import (
    CALLBACK,
    ISSUER,
    METADATA,
    RESOURCE,
    USER,
    Asked,
    Clock,
    Web,
    said,
)
from tests.torhaus.upstream.pipes import run
from tests.torhaus.upstream.proofs import opened, thumbprint
from tests.torhaus.upstream.purses import Guarded, MemoryWallet
from tests.torhaus.upstream.servers.http_server import STREAM, Wire, head, http_server
from tests.torhaus.upstream.webs import configured
from torhaus.identity.oauth.pkce import challenge as hashed
from torhaus.model.connecting import Journey
from torhaus.model.fetch import Fetched
from torhaus.model.ports import UpstreamError
from torhaus.model.servers import HttpAddress, Server
from torhaus.upstream.oauth.connecting import Connecting
from torhaus.upstream.oauth.discovery import OAuthError
from torhaus.upstream.oauth.enterprise import Means
from torhaus.upstream.oauth.tokens import Rejected

DOCUMENT = "https://gw.example/connect/client.json"


class Office:
    def __init__(self, url: str, document: str = "", **changes: object) -> None:
        origin = url.removesuffix("/mcp")
        metadata = changes.pop("metadata", {})
        about = {**RESOURCE, "resource": url, **changes.pop("about", {})}
        self.web = Web(
            **{f"{origin}/.well-known/oauth-protected-resource/mcp": about}, metadata=metadata
        )
        self.wallet = MemoryWallet()
        address = HttpAddress(url=url, oauth=msgspec.structs.replace(USER, **changes))
        self.server: Server = msgspec.structs.replace(configured(url), address=address)
        numbers = iter(range(1, 100))
        self.clock = Clock()
        self.wallet.clock = self.clock
        means = Means(wallet=self.wallet, fetch=lambda: self.web, clock=self.clock, ids=lambda: "1")
        self.way = Connecting(means, lambda: f"{next(numbers):048}", lambda: document)

    async def depart(self, scope: str = "") -> tuple[Journey, dict[str, str]]:
        found = await self.way.depart(self.server, scope, CALLBACK)
        return found, dict(parse_qsl(urlsplit(found.url).query))

    async def arrive(self, journey: Journey, **query: str):
        back = {"state": journey.state, "iss": ISSUER, "code": "code-1", **query}
        kept = {name: value for name, value in back.items() if value}
        return await self.way.arrive(self.server, journey.private, kept)


def office(story, challenge: str = "Bearer", **more: object) -> None:
    async def play():
        async with http_server(Guarded(challenge=challenge).script) as server:
            await story(Office(server.url, **more))

    run(play())


def test_the_journey_asks_for_exactly_what_is_needed():
    async def story(at: Office):
        journey, query = await at.depart()

        assert journey.url.startswith(f"{ISSUER}/authorize?")
        assert query == {
            "response_type": "code",
            "client_id": "registered",
            "redirect_uri": CALLBACK,
            "state": journey.state,
            "code_challenge": hashed(journey.private["verifier"]),
            "code_challenge_method": "S256",
            "resource": at.server.address.url,
            "scope": "read write",
        }
        assert journey.private["verifier"] not in journey.url
        assert journey.state != journey.private["verifier"]

    office(story)


def test_what_comes_back_is_exchanged_and_fits_what_was_asked():
    async def story(at: Office):
        journey, _ = await at.depart()
        found = await at.arrive(journey)

        form = at.web.asked[-1].form
        assert form == {
            "grant_type": "authorization_code",
            "code": "code-1",
            "redirect_uri": CALLBACK,
            "code_verifier": journey.private["verifier"],
            "resource": at.server.address.url,
            "client_id": "registered",
        }
        assert (found.issuer, found.expires) == (ISSUER, 4600.0)
        assert found.content.value == "access-token-0000000000000001"
        assert found.content.token_endpoint == f"{ISSUER}/token"

    office(story)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"state": "other"}, "does not belong to this browser"),
        ({"state": ""}, "does not belong to this browser"),
        ({"iss": "https://evil.example"}, "another authorization server"),
        ({"iss": f"{ISSUER}/"}, "another authorization server"),
        ({"iss": ""}, "does not say"),
        ({"error": "access_denied"}, "did not agree"),
        ({"code": ""}, "sent no code"),
    ],
)
def test_an_answer_that_proves_nothing_is_never_exchanged(query, words):
    async def story(at: Office):
        journey, _ = await at.depart()
        with pytest.raises(OAuthError, match=words):
            await at.arrive(journey, **query)
        assert at.web.granted == 0

    office(story)


def test_an_issuer_that_promises_nothing_may_still_not_be_another():
    async def story(at: Office):
        journey, _ = await at.depart()
        assert await at.arrive(journey, iss="")
        with pytest.raises(OAuthError, match="another"):
            await at.arrive(journey, iss="https://evil.example")

    office(story, metadata={"authorization_response_iss_parameter_supported": None})


def test_torhaus_registers_once_for_each_issuer():
    async def story(at: Office):
        await at.depart()
        await at.depart()
        asked = [each for each in at.web.urls() if each.endswith("/register")]
        other = {**METADATA, "issuer": "https://new.example"}
        at.web.pages["https://new.example/.well-known/oauth-authorization-server"] = other
        path = f"{at.server.address.url.removesuffix('/mcp')}/.well-known/oauth-protected-resource"
        about = at.web.pages[f"{path}/mcp"]
        about["authorization_servers"] = ["https://new.example"]
        await at.depart()

        assert len(asked) == 1
        assert len([each for each in at.web.urls() if each.endswith("/register")]) == 2

    office(story)


def unknown(asked: Asked) -> Fetched:
    """A token endpoint that knows of no client but those that registered last."""
    known = asked.form["client_id"] == "second"
    return said({"error": "invalid_grant" if known else "invalid_client"}, 400)


def test_a_registration_that_was_forgotten_there_is_made_anew():
    async def story(at: Office):
        await at.depart()
        at.clock.now += 3600
        at.web.pages[f"{ISSUER}/token"] = unknown
        at.web.pages[f"{ISSUER}/register"] = lambda _: said({"client_id": "second"}, 201)

        _, query = await at.depart()
        assert query["client_id"] == "second"
        at.clock.now += 3600
        _, query = await at.depart()
        assert query["client_id"] == "second"
        assert len([each for each in at.web.urls() if each.endswith("/register")]) == 2

    office(story)


def test_a_registration_of_a_moment_ago_is_not_made_again_and_again():
    async def story(at: Office):
        at.web.pages[f"{ISSUER}/token"] = unknown
        for _ in range(3):
            await at.depart()
        assert len([each for each in at.web.urls() if each.endswith("/register")]) == 1

    office(story)


def test_a_token_endpoint_that_is_down_makes_no_registration():
    async def story(at: Office):
        await at.depart()
        at.clock.now += 3600
        at.web.pages[f"{ISSUER}/token"] = lambda _: Fetched(503, {}, b"")

        _, query = await at.depart()
        assert query["client_id"] == "registered"

    office(story)


def test_a_document_stands_in_for_a_registration():
    async def story(at: Office):
        _, query = await at.depart()

        assert query["client_id"] == DOCUMENT
        assert f"{ISSUER}/register" not in at.web.urls()

    metadata = {"client_id_metadata_document_supported": True, "registration_endpoint": None}
    office(story, document=DOCUMENT, metadata=metadata)


def test_what_the_server_asks_for_decides_the_scopes():
    async def story(at: Office):
        _, query = await at.depart("read admin")
        assert query["scope"] == "basic read admin offline_access"
        assert query["prompt"] == "consent"

    metadata = {"scopes_supported": ["basic", "offline_access"]}
    office(story, 'Bearer scope="basic"', metadata=metadata)


def test_the_files_scopes_are_the_only_ones():
    async def story(at: Office):
        _, query = await at.depart()
        assert query["scope"] == "mine"
        assert query["audience"] == "api"

    metadata = {"scopes_supported": ["offline_access"]}
    office(story, scopes=("mine",), audience="api", metadata=metadata)


def test_a_code_that_is_refused_is_said():
    async def story(at: Office):
        journey, _ = await at.depart()
        at.web.pages[f"{ISSUER}/token"] = lambda _: said({"error": "invalid_grant"}, 400)
        with pytest.raises(Rejected):
            await at.arrive(journey)

    office(story)


def test_a_server_that_is_down_and_one_without_accounts_are_said():
    async def story():
        down = Office("http://127.0.0.1:9/mcp")
        with pytest.raises(OAuthError, match="cannot be reached"):
            await down.depart()
        bare = msgspec.structs.replace(down.server, address=HttpAddress(url="http://127.0.0.1:9/"))
        with pytest.raises(OAuthError, match="nobody connects"):
            await down.way.depart(bare, "", CALLBACK)

    asyncio.run(story())


def binding(asked: Asked) -> Fetched:
    opened(asked.headers["DPoP"])
    return said({"access_token": "bound-token", "token_type": "DPoP", "expires_in": 60})


@pytest.mark.parametrize(
    ("challenge", "more"),
    [
        ("DPoP", {}),
        ("Bearer", {"bound": True}),
        ("Bearer", {"about": {"dpop_bound_access_tokens_required": True}}),
    ],
)
def test_tokens_are_bound_where_the_server_asks_or_the_file_says_so(
    challenge: str, more: dict[str, object]
) -> None:
    async def story(at: Office):
        at.web.pages[f"{ISSUER}/token"] = binding
        journey, query = await at.depart()
        found = await at.arrive(journey)

        registered = next(each for each in at.web.asked if each.url.endswith("/register"))
        assert '"dpop_bound_access_tokens":true' in registered.body
        header, claims = opened(at.web.asked[-1].headers["DPoP"])
        assert (claims["htm"], claims["htu"]) == ("POST", f"{ISSUER}/token")
        assert "ath" not in claims
        assert query["dpop_jkt"] == thumbprint(header)
        assert found.content.proof_key.startswith("ES256.")
        assert found.content.proof_key.partition(".")[2] not in journey.url

    office(story, challenge, **more)


def test_tokens_are_not_bound_where_the_file_says_so() -> None:
    async def story(at: Office):
        journey, query = await at.depart()
        found = await at.arrive(journey)

        assert "dpop_jkt" not in query
        assert "DPoP" not in at.web.asked[-1].headers
        assert found.content.proof_key == ""

    office(story, "DPoP", bound=False)


def test_proofs_that_the_authorization_server_does_not_take_are_said_before_anybody_goes() -> None:
    async def story(at: Office):
        with pytest.raises(UpstreamError, match="none of the proofs"):
            await at.depart()

    office(story, "DPoP", metadata={"dpop_signing_alg_values_supported": ["RS256"]})


def test_the_challenge_of_a_server_that_answers_get_alone_is_heard() -> None:
    """HTTP+SSE: what a POST to its address gets says nothing."""

    async def script(wire: Wire) -> None:
        heard = await wire.request()
        lines = ("content-length: 0",)
        if heard.method == "GET":
            wire.say(head("401 Unauthorized", "www-authenticate: DPoP", *lines))
        else:
            wire.say(head("404 Not Found", *lines))

    async def play() -> None:
        async with http_server(script) as server:
            _, query = await Office(server.url).depart()
            assert "dpop_jkt" in query

    run(play())


@pytest.mark.parametrize("answer", [STREAM, head("404 Not Found", "content-length: 0")])
def test_a_server_that_asks_for_nothing_is_gone_to_as_its_metadata_says(answer: bytes) -> None:
    async def script(wire: Wire) -> None:
        heard = await wire.request()
        missing = head("404 Not Found", "content-length: 0")
        wire.say(answer if heard.method == "GET" else missing)

    async def play() -> None:
        async with http_server(script) as server:
            _, query = await Office(server.url).depart()
            assert query["scope"] == "read write"

    run(play())
