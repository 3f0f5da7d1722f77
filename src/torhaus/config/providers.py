"""The shapes of identity providers: whom Torhaus asks who somebody is."""

import re
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from torhaus.config.access import TEXT_OR_TEXTS, GroupName, Names, RoleName, Short, short
from torhaus.config.addresses import Url, is_loopback
from torhaus.config.amounts import Seconds, between
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.texts import Line, Token

LOCAL = "local"


def _name(value: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9-]{0,62}", value) is None:
        raise FaultError("this is not a provider's name", "use a-z, 0-9 and -, a letter first")
    if value == LOCAL:
        raise FaultError("this name means local accounts", "choose another name")
    return value


def _domain(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9.-]{1,190}\.[A-Za-z0-9-]{1,63}", value) is None:
        raise FaultError("this is not a domain of addresses", "write example.com, without @")
    return value.lower()


def _safe(value: str) -> str:
    """https, or http on this machine: tokens and keys come from there."""
    parts = urlsplit(value)
    if parts.scheme.lower() != "https" and not is_loopback(parts.hostname or ""):
        raise FaultError("an identity provider is reached over https", "write https://...")
    return value


def _ldap(value: str) -> str:
    if re.fullmatch(r"ldaps?://(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?/?", value):
        return value.rstrip("/")
    raise FaultError("this is not the address of an LDAP server", "write ldaps://ldap.example.com")


def _pin(value: str) -> str:
    pin = value.replace(":", "").lower()
    if re.fullmatch(r"[0-9a-f]{64}", pin) is None:
        fix = "openssl x509 -in idp.crt -noout -fingerprint -sha256"
        raise FaultError("this is not a certificate's SHA-256", fix)
    return pin


def _filter(value: str) -> str:
    if not value.startswith("(") or not value.endswith(")") or value.count("(") != value.count(")"):
        raise FaultError("this is not an LDAP filter", "write (uid={user})")
    return value


ProviderName = Annotated[str, AfterValidator(_name)]
Domain = Annotated[str, AfterValidator(_domain)]
SafeUrl = Annotated[Url, AfterValidator(_safe)]
LdapUrl = Annotated[Line, AfterValidator(_ldap)]
Pin = Annotated[str, AfterValidator(_pin)]
Filter = Annotated[Line, AfterValidator(_filter)]


class GainsSpec(Shape):
    """What being in a group of the provider gives."""

    roles: tuple[RoleName, ...] = ()
    """Roles."""
    groups: tuple[GroupName, ...] = ()
    """Groups of Torhaus that such a person is in."""


GainsOrRoles = Annotated[GainsSpec, BeforeValidator(short("roles")), Short(TEXT_OR_TEXTS)]


class ProviderSpec(Shape):
    """What identity providers of every kind have in common."""

    label: Line | None = None
    """What the button says; the provider's name without it."""
    groups: dict[Line, GainsOrRoles] = Field(default_factory=dict)
    """The provider's group, and the role, roles, or {roles, groups} that it gives."""
    default_role: RoleName | None = None
    """What everybody has who can sign in there. Nobody has anything without it."""
    link_by_email: bool | None = None
    """The first sign-in counts as the known person with that address. Without it: where this is
    the only provider."""
    domains: tuple[Domain, ...] = ()
    """Domains whose addresses may sign in, such as example.com. Without it, all."""


Algorithm = Literal["RS256", "ES256", "PS256", "Ed25519", "EdDSA"]


class OidcSpec(ProviderSpec):
    """Sign-in with OpenID Connect."""

    issuer: SafeUrl
    """Its issuer URL, exactly as its metadata spells it."""
    client_id: Line
    """Torhaus's id there."""
    client_secret: Token | None = None
    """Torhaus's secret there. Best as ${NAME}."""
    client_secret_file: Line | None = None
    """A file that holds the secret."""
    client_auth: Literal["basic", "post", "none"] | None = None
    """How the secret is sent. Without it, as the provider's metadata says."""
    scopes: Annotated[tuple[Line, ...], Field(min_length=1)] = ("openid", "email", "profile")
    """What is asked for."""
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = (
        "RS256",
        "ES256",
        "PS256",
        "Ed25519",
        "EdDSA",
    )
    """What ID tokens may be signed with."""
    groups_claim: Line = "groups"
    """The claim that has the groups."""
    email_claim: Line = "email"
    """The claim that has the address."""
    assume_verified: bool = False
    """The address counts although the provider does not say that it has verified it. Only for a
    provider where nobody chooses his address himself, such as Entra ID with one tenant."""
    asks_again: bool | None = None
    """Whether it asks people to sign in again when told to (prompt=login), and says when it has
    (auth_time). Without it yes, but Google, which can do neither. Where not, it is enough to have
    gone there and come back."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.client_secret is None and self.client_auth in ("basic", "post"):
            raise FaultError("there is no client_secret to send", "add client_secret")
        if "openid" not in self.scopes:
            raise FaultError("the scopes lack openid", "add openid to scopes")
        if self.email_claim != "email" and not self.assume_verified:
            message = "nobody says whether an address in another claim is verified"
            raise FaultError(message, "add assume_verified: true, or use the claim email")
        return self


class SamlSpec(ProviderSpec):
    """Sign-in with SAML 2.0. Needs `pip install "torhaus[saml]"`."""

    metadata: str | None = None
    """The identity provider's metadata, as XML."""
    metadata_file: Line | None = None
    """A file that holds the metadata."""
    metadata_url: SafeUrl | None = None
    """Where the metadata is; with certificate_sha256."""
    certificate_sha256: tuple[Pin, ...] = ()
    """The identity provider's certificates, by their SHA-256; others do not count."""
    idp: Line | None = None
    """Its entity id, where the metadata holds several."""
    entity_id: Line | None = None
    """Ours. Without it, the address of our metadata: PUBLIC_URL/saml/NAME/metadata."""
    signing_key: SecretStr | None = None
    """The key (PEM, RSA) that requests are signed with; Torhaus makes one without it."""
    signing_key_file: Line | None = None
    """A file that holds the key."""
    signing_certificate: str | None = None
    """The key's certificate (PEM)."""
    signing_certificate_file: Line | None = None
    """A file that holds the certificate."""
    subject_attribute: Names = ()
    """Attributes that may have what a person keeps for ever, in order. Without it, NameID."""
    email_attribute: Names = ()
    """Attributes that may have the address, in order. Without it, NameID is the address."""
    name_attribute: Names = ("displayName", "urn:oid:2.16.840.1.113730.3.1.241")
    """Attributes that may have the person's name."""
    groups_attribute: Names = (
        "groups",
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
    )
    """Attributes that have groups; those of all count."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.metadata is None) == (self.metadata_url is None):
            raise FaultError("SAML needs metadata_file or metadata_url, one of the two", "add one")
        if self.metadata_url is not None and not self.certificate_sha256:
            message = "metadata from a URL counts only with the certificates it may name"
            raise FaultError(message, "add certificate_sha256, or use metadata_file")
        if (self.signing_key is None) != (self.signing_certificate is None):
            message = "signing_key and signing_certificate go together"
            raise FaultError(message, "give both, or neither")
        return self


class LdapSpec(ProviderSpec):
    """Sign-in with a name and password of an LDAP directory or Active Directory."""

    url: LdapUrl
    """ldaps://HOST, or ldap://HOST, which is encrypted with StartTLS before anything is said."""
    ca_file: Line | None = None
    """Certificates to trust besides the system's; egress.ca_file without it."""
    directory: Literal["openldap", "active_directory"] = "openldap"
    """What the defaults of the keys below are made for."""
    base: Line
    """Where people are searched, such as ou=people,dc=example,dc=com."""
    bind_dn: Line
    """Who searches."""
    bind_password: Token | None = None
    """His password. Best as ${NAME}."""
    bind_password_file: Line | None = None
    """A file that holds the password."""
    filter: Filter | None = None
    """Finds a person; {user} is what was typed."""
    subject_attribute: Line | None = None
    """What a person keeps for ever: entryUUID, objectGUID."""
    email_attribute: Line = "mail"
    """Has the address."""
    name_attribute: Line = "displayName"
    """Has the person's name."""
    groups_base: Line | None = None
    """Where groups are; those directly below may be named by their cn alone."""
    groups_filter: Filter | None = None
    """Finds a person's groups below groups_base; {dn} is the person. Without it, memberOf."""
    recheck: Annotated[Seconds, between(60, 86400, "between 1m and 24h")] = 900.0
    """How often the groups of people who are signed in are looked at again."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.bind_password is None:
            raise FaultError("the search needs a password", 'add bind_password: "${LDAP_PASSWORD}"')
        if self.filter is not None and "{user}" not in self.filter:
            raise FaultError("the filter finds the same for everybody", "write (uid={user})")
        if self.groups_filter is not None and "{dn}" not in self.groups_filter:
            raise FaultError("groups_filter does not name the person", "write (member={dn})")
        if self.groups_filter is not None and self.groups_base is None:
            raise FaultError("groups_filter needs a place to search", "add groups_base")
        return self


class Named(Shape):
    """One of several providers."""

    name: ProviderName
    """What it is called in addresses and records. Accounts of LDAP are linked under this name."""


class OidcEntry(OidcSpec, Named):
    """Sign-in with OpenID Connect, one of several providers."""

    type: Literal["oidc"]
    """oidc, saml or ldap."""


class SamlEntry(SamlSpec, Named):
    """Sign-in with SAML 2.0, one of several providers."""

    type: Literal["saml"]
    """oidc, saml or ldap."""


class LdapEntry(LdapSpec, Named):
    """Sign-in with LDAP or Active Directory, one of several providers."""

    type: Literal["ldap"]
    """oidc, saml or ldap."""


class _Plain:
    """Leaves out of the editors' schema what is OpenAPI's, not JSON Schema's."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        found = handler(schema)
        found.pop("discriminator", None)
        return found


Entry = Annotated[OidcEntry | SamlEntry | LdapEntry, Field(discriminator="type"), _Plain()]
