"""Which function carries out which act of this room."""

from collections.abc import Mapping

from torhaus.admin.perform import Work
from torhaus.admin.signin.acts import (
    AcceptInvitation,
    Arrive,
    ChangePassword,
    FirstAdministrator,
    MakeResetLink,
    ProviderSignOut,
    RefuseSignIn,
    RelinkPerson,
    RenewRecovery,
    ResetPassword,
    SetSecondFactor,
    SignIn,
    SignOut,
)
from torhaus.admin.signin.first import first_administrator
from torhaus.admin.signin.inviting import accept_invitation
from torhaus.admin.signin.linking import arrive
from torhaus.admin.signin.passwords import (
    change_password,
    make_reset_link,
    renew_recovery,
    reset_password,
    set_second_factor,
)
from torhaus.admin.signin.rechecking import Recheck, recheck
from torhaus.admin.signin.relinking import relink_person
from torhaus.admin.signin.sessions import provider_sign_out, refuse_sign_in, sign_in, sign_out

SIGNIN_WORKS: Mapping[type, Work] = {
    SignIn: sign_in,
    Arrive: arrive,
    RefuseSignIn: refuse_sign_in,
    SignOut: sign_out,
    ProviderSignOut: provider_sign_out,
    ChangePassword: change_password,
    SetSecondFactor: set_second_factor,
    RenewRecovery: renew_recovery,
    MakeResetLink: make_reset_link,
    ResetPassword: reset_password,
    FirstAdministrator: first_administrator,
    AcceptInvitation: accept_invitation,
    Recheck: recheck,
    RelinkPerson: relink_person,
}
