"""The shape of `auth.local`: accounts with a password here."""

from typing import Literal

from torhaus.config.shape import Shape
from torhaus.model.signin import LocalAccounts


class LocalSpec(Shape):
    """Accounts with a password here."""

    enabled: bool = True
    """Off: people sign in with an identity provider only, and there is no first-run link."""
    second_factor: Literal["administrators", "everybody", "optional"] = "administrators"
    """Who has to type a code of an app besides the password."""

    def accounts(self) -> LocalAccounts:
        return LocalAccounts(enabled=self.enabled, second_factor=self.second_factor)
