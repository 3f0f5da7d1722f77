import msgspec

from torhaus.admin.oauth import acts
from torhaus.admin.oauth.acts import STRANGER


def test_no_act_has_room_for_a_token_in_its_own_texts() -> None:
    """The door cleans texts of acts of what looks like a secret: what matters is nested."""
    for act in (acts.GiveConsent, acts.ExchangeCode, acts.RefreshTokens, acts.RevokeToken):
        texts = {each.name for each in msgspec.structs.fields(act) if each.type is str}
        assert texts <= {"id", "session", "ip"}


def test_a_stranger_has_no_right_at_all() -> None:
    assert STRANGER.phases == ()
