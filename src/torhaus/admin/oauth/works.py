"""Which function carries out which act of the authorization server."""

from collections.abc import Mapping

from torhaus.admin.oauth.acts import (
    AcceptAssertion,
    ExchangeCode,
    GiveConsent,
    RefreshTokens,
    RegisterClient,
    RevokeToken,
)
from torhaus.admin.oauth.assertions import accepting
from torhaus.admin.oauth.clients import register_client
from torhaus.admin.oauth.consents import give_consent
from torhaus.admin.oauth.issuing import Server, exchanging, refreshing
from torhaus.admin.oauth.revoking import revoke_token
from torhaus.admin.perform import Work


def oauth_works(server: Server) -> Mapping[type, Work]:
    """`server`: how the file wants it now."""
    return {
        RegisterClient: register_client,
        GiveConsent: give_consent,
        ExchangeCode: exchanging(server),
        RefreshTokens: refreshing(server),
        RevokeToken: revoke_token,
        AcceptAssertion: accepting(server),
    }
