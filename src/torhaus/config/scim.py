"""The shape of `auth.scim`: who may push users and groups."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from torhaus.config.access import RoleName
from torhaus.config.amounts import Whole, between
from torhaus.config.problems import FaultError
from torhaus.config.providers import GainsOrRoles, ProviderName
from torhaus.config.shape import Shape
from torhaus.config.texts import Line, Token


class ScimSpec(Shape):
    """One that pushes users and groups over SCIM 2.0, such as Okta or Entra ID."""

    name: ProviderName
    """What it is called in records; its people are of scim:NAME."""
    token: Token | None = None
    """What it shows. Best as ${NAME}; compared by its SHA-256."""
    token_file: Line | None = None
    """A file that holds the token."""
    old_token: Token | None = None
    """Counts as well, while the token is being changed there."""
    old_token_file: Line | None = None
    """A file that holds the old token."""
    groups: dict[Line, GainsOrRoles] = Field(default_factory=dict)
    """The group's name (or its externalId), and the role, roles, or {roles, groups} it gives."""
    default_role: RoleName | None = None
    """What everybody has who is pushed. Nobody has anything without it."""
    rate: Annotated[Whole, between(10, 100_000, "between 10 and 100000")] = 1500
    """Requests a minute."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.token is None:
            raise FaultError(
                "whoever pushes people has to show a token", 'add token: "${SCIM_TOKEN}"'
            )
        return self
