from torhaus.admin.oauth import acts
from torhaus.admin.oauth.works import oauth_works
from torhaus.admin.perform import WORKS
from torhaus.model.oauth import AuthorizationServer


def test_every_act_has_one_who_carries_it_out() -> None:
    works = oauth_works(AuthorizationServer)

    assert set(works) == {
        acts.RegisterClient,
        acts.GiveConsent,
        acts.ExchangeCode,
        acts.RefreshTokens,
        acts.RevokeToken,
        acts.AcceptAssertion,
    }
    assert set(works).isdisjoint(WORKS)
