"""Identity providers as the file names them, and what their groups give here."""

from collections.abc import Mapping

import msgspec

from torhaus.model.secret import Secret


class Gains(msgspec.Struct, frozen=True, kw_only=True):
    """What being in a group of a provider gives: roles, and membership in groups of Torhaus."""

    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """On what terms a provider's people are let in. `identity.gains` applies them.

    `groups`: the provider's group -> what it gives; `everyone`: what all its people have.
    `link_by_email`: a first sign-in may be linked to a known person by the verified address.
    `domains`: domains of addresses that count, lower case; empty for all.
    """

    groups: Mapping[str, Gains] = {}
    everyone: Gains = Gains()
    link_by_email: bool = False
    domains: tuple[str, ...] = ()


class OidcProvider(msgspec.Struct, frozen=True, kw_only=True):
    """OpenID Connect. `client_auth`: basic, post or none; None for what the provider says.

    `assume_verified`: addresses count although the provider does not say `email_verified`.
    `asks_again`: it asks somebody to sign in again when told to, and says when it has.
    """

    name: str
    label: str
    terms: Terms
    issuer: str
    client_id: str
    client_secret: Secret | None = None
    client_auth: str | None = None
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    algorithms: tuple[str, ...] = ("RS256", "ES256", "PS256", "Ed25519", "EdDSA")
    groups_claim: str = "groups"
    email_claim: str = "email"
    assume_verified: bool = False
    asks_again: bool = True


class SamlProvider(msgspec.Struct, frozen=True, kw_only=True):
    """SAML 2.0. `metadata`: the text of its file; or `metadata_url`, with `pins`.

    `pins`: SHA-256 of the certificates that count, hex; needed with `metadata_url`.
    `idp`: its entity id, where the metadata has several. `entity_id`: ours, None for the address
    of our metadata. `key` and `certificate`: PEM, what requests are signed with; None for the
    gateway's own. Attributes are tried in order; without, NameID is subject and address.
    """

    name: str
    label: str
    terms: Terms
    metadata: str | None = None
    metadata_url: str | None = None
    pins: tuple[str, ...] = ()
    idp: str | None = None
    entity_id: str | None = None
    key: Secret | None = None
    certificate: str | None = None
    subject_attributes: tuple[str, ...] = ()
    email_attributes: tuple[str, ...] = ()
    name_attributes: tuple[str, ...] = ()
    groups_attributes: tuple[str, ...] = ()


class LdapProvider(msgspec.Struct, frozen=True, kw_only=True):
    """LDAP. `host`, `port`; `tls`: from the first octet (ldaps), else StartTLS before any bind.

    `filter`: finds a person, `{user}` is what was typed. `groups_filter`: finds groups below
    `groups_base`, `{dn}` is the person; None: what `memberOf` says. `recheck`: seconds until the
    groups of somebody signed in are looked at again.
    """

    name: str
    label: str
    terms: Terms
    host: str
    port: int
    tls: bool
    base: str
    bind_dn: str
    bind_password: Secret
    ca_file: str | None = None
    filter: str = "(uid={user})"
    subject_attribute: str = "entryUUID"
    email_attribute: str = "mail"
    name_attribute: str = "displayName"
    groups_base: str | None = None
    groups_filter: str | None = None
    recheck: float = 900.0


Provider = OidcProvider | SamlProvider | LdapProvider
