"""What a source of provisioning can do, as data."""

import msgspec

from torhaus.model.provisioning import Provisioned, ScimSource


class ProvisionUser(msgspec.Struct, frozen=True, kw_only=True):
    """`user`: as he is to be. `before`: as he was when that was decided; None for a new one."""

    source: ScimSource
    user: Provisioned
    before: Provisioned | None = None


class RemoveUser(msgspec.Struct, frozen=True, kw_only=True):
    """The source does not know him any more: he is offboarded."""

    source: ScimSource
    id: str


class ProvisionGroup(msgspec.Struct, frozen=True, kw_only=True):
    """`group`: as it is to be, its members in its document."""

    source: ScimSource
    group: Provisioned
    before: Provisioned | None = None


class RemoveGroup(msgspec.Struct, frozen=True, kw_only=True):
    """What it gave its members is gone with it."""

    source: ScimSource
    id: str
