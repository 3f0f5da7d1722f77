"""What an OpenID provider publishes, and for how long it is believed."""

import pytest

from tests.torhaus.identity.tokens import NOW
from tests.torhaus.signin.provider import provider
from tests.torhaus.upstream.pipes import run
from torhaus.model.signin import SignInError
from torhaus.signin.oidc_documents import LIFETIME, REST, OidcDocuments
from torhaus.upstream.egress import Egress


def test_metadata_and_keys_are_kept_for_an_hour() -> None:
    async def story() -> None:
        async with provider() as idp:
            documents = OidcDocuments(Egress(), idp.issuer, "Company")
            for now in (NOW, NOW + LIFETIME - 1):
                assert len(await documents.keys(now)) == 1
            assert len(idp.heard) == 2
            await documents.keys(NOW + LIFETIME)
            assert len(idp.heard) == 4

    run(story())


def test_a_clock_that_went_back_does_not_make_keys_last_for_ever() -> None:
    async def story() -> None:
        async with provider() as idp:
            documents = OidcDocuments(Egress(), idp.issuer, "Company")
            await documents.keys(NOW)
            await documents.keys(NOW - 1_000_000)
            assert len(idp.asked("/keys")) == 2

    run(story())


def test_keys_that_are_none_leave_nobody_believed() -> None:
    async def story() -> None:
        async with provider(listed=[]) as idp:
            assert await OidcDocuments(Egress(), idp.issuer, "Company").keys(NOW) == ()

    run(story())


def test_a_failure_is_remembered_for_seconds_only() -> None:
    async def story() -> None:
        async with provider(status=500) as idp:
            documents = OidcDocuments(Egress(), idp.issuer, "Company")
            with pytest.raises(SignInError) as error:
                await documents.metadata(NOW)
            assert error.value.detail == "its documents answer with HTTP 500"
            idp.status = 200
            with pytest.raises(SignInError, match="try again later"):
                await documents.metadata(NOW + REST - 1)
            assert len(idp.heard) == 1
            assert (await documents.metadata(NOW + REST)).issuer == idp.issuer

    run(story())
