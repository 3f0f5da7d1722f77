import asyncio

import msgspec
import pytest

from tests.torhaus.upstream.oauth.test_platform import workload
from tests.torhaus.upstream.oauth.town import ISSUER, SERVER, Clock, Web, said
from torhaus.model.secret import Secret
from torhaus.model.servers import Acting, Assertion, OAuthAccess
from torhaus.upstream.oauth.discovery import OAuthError
from torhaus.upstream.oauth.dpop import Nonces
from torhaus.upstream.oauth.machine import JWT_BEARER, REST, Machine
from torhaus.upstream.oauth.tokens import Rejected
from torhaus.upstream.oauth.wellknown import Challenge

CLIENT = OAuthAccess(
    mode=Acting.CLIENT, client_id="me", client_secret=Secret("canary-secret"), issuer=ISSUER
)


def machine(web: Web, clock: Clock | None = None, **changes: object) -> Machine:
    oauth = msgspec.structs.replace(CLIENT, **changes)
    return Machine(SERVER, oauth, lambda: web, clock or Clock(), lambda: "1", Nonces())


def test_one_request_serves_all_until_shortly_before_its_end():
    async def story():
        web, clock = Web(), Clock()
        mine = machine(web, clock)
        assert mine.at_hand() is None

        found = await asyncio.gather(*(mine.fresh() for _ in range(20)))

        assert web.granted == 1
        assert set(found) == {mine.at_hand()}
        assert [each.reveal() for each in found[0].secrets] == ["access-token-0000000000000001"]
        clock.now += 3600 - 30
        assert mine.at_hand() is None
        assert await mine.fresh() != found[0]
        assert web.granted == 2

    asyncio.run(story())


def test_it_asks_for_what_the_file_says_or_the_server():
    async def story():
        web = Web()
        await machine(web).fresh()
        form = web.asked[-1].form
        assert form["grant_type"] == "client_credentials"
        assert (form["scope"], form["resource"]) == ("read write", SERVER)

        where = "https://other.example/token"
        direct = Web(**{where: web.pages[f"{ISSUER}/token"]})
        mine = machine(
            direct, token_endpoint=where, scopes=("a", "b"), audience="api", resource="urn:r"
        )
        await mine.fresh()
        assert direct.urls() == [where]
        form = direct.asked[0].form
        assert (form["scope"], form["audience"], form["resource"]) == ("a b", "api", "urn:r")
        assert direct.asked[0].named == (SERVER, ISSUER, where)

    asyncio.run(story())


def test_after_a_refusal_there_is_a_new_one_but_not_two():
    async def story():
        web = Web()
        mine = machine(web)
        first = await mine.fresh()

        second, third = await asyncio.gather(
            mine.other(first, Challenge()), mine.other(first, Challenge())
        )

        assert first != second == third
        assert web.granted == 2

    asyncio.run(story())


def test_more_rights_are_asked_for_once():
    async def story():
        web = Web()
        mine = machine(web)
        await mine.fresh()
        more = Challenge(scope="admin", error="insufficient_scope")

        assert await mine.wider(more) is not None
        assert web.asked[-1].form["scope"] == "admin"
        assert await mine.wider(more) is None
        assert await machine(web, scopes=("read",)).wider(more) is None

    asyncio.run(story())


def test_a_failure_is_told_to_all_and_the_next_tries_again():
    async def story():
        web = Web()
        web.down.add("as.example")
        mine = machine(web)
        found = await asyncio.gather(*(mine.fresh() for _ in range(3)), return_exceptions=True)
        assert all(isinstance(each, OAuthError) for each in found)
        assert "canary" not in str(found)

        web.down.clear()
        assert await mine.fresh() is not None

    asyncio.run(story())


def test_without_a_client_in_the_file_there_is_no_token():
    with pytest.raises(OAuthError, match="no client_id"):
        asyncio.run(machine(Web(), client_id="").fresh())


def test_a_workload_asks_with_the_platforms_word_as_it_is_now(tmp_path):
    async def story():
        token = tmp_path / "token"
        token.write_text(workload("first"))
        web, clock = Web(), Clock()
        platform = Assertion("file", "token", str(tmp_path))
        mine = machine(
            web, clock, client_id="", client_secret=None, assertion=platform, federated=True
        )

        await mine.fresh()
        form = web.asked[-1].form
        assert form["grant_type"] == JWT_BEARER
        assert (form["assertion"], form["resource"]) == (workload("first"), SERVER)
        assert not {"client_id", "client_assertion", "client_secret"} & set(form)

        token.write_text(workload("second"))
        clock.now += 3600
        await mine.fresh()
        assert web.asked[-1].form["assertion"] == workload("second")

    asyncio.run(story())


def test_the_platforms_word_may_prove_the_client_instead(tmp_path):
    async def story():
        (tmp_path / "token").write_text(workload("mine"))
        web = Web()
        platform = Assertion("file", "token", str(tmp_path))
        await machine(web, client_secret=None, assertion=platform).fresh()

        form = web.asked[-1].form
        assert (form["grant_type"], form["client_id"]) == ("client_credentials", "me")
        assert form["client_assertion"] == workload("mine")

    asyncio.run(story())


@pytest.mark.parametrize("code", ["invalid_grant", "invalid_scope", "unauthorized_client"])
def test_a_refusal_is_told_and_asked_for_again_only_after_a_while(code):
    async def story():
        web, clock = Web(), Clock()
        web.pages[f"{ISSUER}/token"] = lambda _: said({"error": code}, 400)
        mine = machine(web, clock)

        for _ in range(5):
            with pytest.raises(Rejected, match=code):
                await mine.fresh()
        assert web.urls().count(f"{ISSUER}/token") == 1

        clock.now += REST
        web.pages[f"{ISSUER}/token"] = Web().pages[f"{ISSUER}/token"]
        assert await mine.fresh() is not None

    asyncio.run(story())
