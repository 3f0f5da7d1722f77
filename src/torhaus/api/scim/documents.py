"""What we can do, as SCIM describes it. Slow to import: its models are built from Python types."""

from typing import Annotated, Any, Final

from pydantic import Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Filter,
    Mutability,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    Returned,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

from torhaus.api.scim.answers import listed
from torhaus.api.scim.queries import MOST

Shown = dict[str, Any]


class Name(ComplexAttribute):
    """As it is kept; texts of the standard describe the parts."""

    formatted: str | None = None
    family_name: str | None = None
    given_name: str | None = None


class Address(ComplexAttribute):
    """An e-mail address. A plain text: companies have domains such as `.local`."""

    value: Annotated[str | None, Required.true] = None
    type: str | None = None
    primary: bool | None = None
    display: str | None = None


class User(Resource[Any]):
    """What is kept of a user."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true, Returned.default] = None
    name: Name | None = None
    display_name: str | None = None
    title: str | None = None
    active: bool | None = None
    emails: list[Address] | None = None


class Member(ComplexAttribute):
    """A user in a group."""

    value: Annotated[str | None, Mutability.immutable, Required.true] = None
    ref: Annotated[Reference[User] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    display: Annotated[str | None, Mutability.immutable] = None


class Group(Resource[Any]):
    """What is kept of a group."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    members: list[Member] | None = None


MODELS: Final = (User, Group)


def service_provider(base: str) -> Shown:
    return _shown(
        ServiceProviderConfig(
            patch=Patch(supported=True),
            bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
            filter=Filter(supported=True, max_results=MOST),
            change_password=ChangePassword(supported=False),
            sort=Sort(supported=False),
            etag=ETag(supported=False),
            authentication_schemes=[
                AuthenticationScheme(
                    type=AuthenticationScheme.Type.oauthbearertoken,
                    name="Bearer token",
                    description="A token of auth.scim in the Authorization header",
                    primary=True,
                )
            ],
        ),
        ("ServiceProviderConfig", f"{base}/ServiceProviderConfig"),
    )


def resource_types(base: str) -> list[Shown]:
    found = [ResourceType.from_resource(model) for model in MODELS]
    return [_shown(each, ("ResourceType", f"{base}/ResourceTypes/{each.id}")) for each in found]


def schemas(base: str) -> list[Shown]:
    found = [model.to_schema() for model in MODELS]
    return [_shown(each, ("Schema", f"{base}/Schemas/{each.id}")) for each in found]


def everything(base: str) -> dict[str, Shown]:
    """Path -> answer."""
    types, described = resource_types(base), schemas(base)
    return {
        "ServiceProviderConfig": service_provider(base),
        "ResourceTypes": listed(types, len(types)),
        "Schemas": listed(described, len(described)),
        **{f"ResourceTypes/{each['id']}": each for each in types},
        **{f"Schemas/{each['id']}": each for each in described},
    }


def _shown(model: Resource[Any], meta: tuple[str, str]) -> Shown:
    found: Shown = model.model_dump()
    return {**found, "meta": {"resourceType": meta[0], "location": meta[1]}}
