from torhaus.admin.inviting import acts
from torhaus.admin.inviting.works import INVITING_WORKS


def test_every_act_is_carried_out() -> None:
    assert set(INVITING_WORKS) == {acts.Invite, acts.RevokeInvitation, acts.RenewInvitation}
