"""`auth.providers` and the blocks of single providers compiled: who says who somebody is."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path as FilePath
from urllib.parse import urlsplit

import msgspec

from torhaus.config.papers import doubt_ldap, doubt_saml
from torhaus.config.providers import GainsSpec, LdapSpec, OidcSpec, SamlSpec
from torhaus.config.schema import File
from torhaus.config.tree import Path, Source, meant, printable
from torhaus.config.words import Words
from torhaus.identity.distinguished import canonical
from torhaus.model.providers import (
    Gains,
    LdapProvider,
    OidcProvider,
    Provider,
    SamlProvider,
    Terms,
)
from torhaus.model.secret import Secret

SINGLE = ("oauth", "oidc", "saml", "ldap")
_PORTS = {"ldap": 389, "ldaps": 636}
# Knows no prompt=login and no auth_time.
_GOOGLE = "accounts.google.com"
# Whoever asks gets an account there: being known to them says nothing.
_EVERYBODY = (
    _GOOGLE,
    "appleid.apple.com",
    "login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad",
)
# Searches that fit as they come: (filter, subject, groups' filter).
_DIRECTORIES: Mapping[str, tuple[str, str, str | None]] = {
    "openldap": ("(uid={user})", "entryUUID", None),
    "active_directory": (
        "(&(objectCategory=person)(objectClass=user)"
        "(!(userAccountControl:1.2.840.113556.1.4.803:=2))"
        "(|(sAMAccountName={user})(userPrincipalName={user})))",
        "objectGUID",
        "(member:1.2.840.113556.1.4.1941:={dn})",
    ),
}


Spec = OidcSpec | SamlSpec | LdapSpec


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a provider is in the file, and what all kinds have."""

    source: Source
    path: Path
    name: str
    label: str
    terms: Terms


def providers(words: Words, file: File) -> tuple[Provider, ...]:
    """Every provider, in the order of the file. Mistakes go to the source's problems."""
    found = list(_specs(file))
    taken: dict[str, Path] = {}
    compiled: list[Provider] = []
    for path, name, spec in found:
        if name in taken:
            message = f"line {words.source.line(taken[name])} has a provider of this name"
            words.source.error((*path, "name"), message, "choose another name")
        taken.setdefault(name, path)
        terms = _terms(words, path, spec, alone=len(found) == 1)
        place = _Place(
            source=words.source, path=path, name=name, label=spec.label or name, terms=terms
        )
        compiled.append(_provider(file, place, spec))
    _nobody(words.source, file, found)
    return tuple(compiled)


def openid(file: File) -> frozenset[str]:
    """The names of the OpenID providers."""
    return frozenset(name for _, name, spec in _specs(file) if isinstance(spec, OidcSpec))


def vouching(source: Source, file: File) -> None:
    """Whether those who get callers into servers can. Mistakes go to `source.problems`."""
    specs = {name: spec for _, name, spec in _specs(file)}
    for name, server in file.mcpServers.items():
        wanted = None if server.auth is None else server.auth.provider
        if wanted is None:
            continue
        path, spec = ("mcpServers", name, "auth", "provider"), specs.get(wanted)
        if not isinstance(spec, OidcSpec):
            message = f"{printable(wanted)} is no OpenID provider under auth"
            close = meant(wanted, list(openid(file)))
            fix = f"did you mean {close}?" if close else "add it under auth.providers"
            source.error(path, message, fix)
        elif spec.client_secret is None or spec.client_auth == "none":
            # Else whoever has an ID token could have it exchanged (SEP-990, section 7.7).
            message = f"{printable(wanted)} gives its word to clients with a secret alone"
            source.error(path, message, f"add client_secret to {printable(wanted)}")


def _nobody(source: Source, file: File, found: Sequence[tuple[Path, str, Spec]]) -> None:
    gives = any(spec.groups or spec.default_role is not None for _, _, spec in found)
    if found and not gives and not file.users:
        message = "whoever signs in has no role here"
        fix = "list people under users, map the provider's groups, or set default_role"
        source.warn(found[0][0], message, fix)


def _specs(file: File) -> Iterator[tuple[Path, str, Spec]]:
    for key in SINGLE:
        spec: Spec | None = getattr(file.auth, key)
        if spec is not None:
            yield ("auth", key), key, spec
    for index, entry in enumerate(file.auth.providers):
        yield ("auth", "providers", index), entry.name, entry


def _provider(file: File, place: _Place, spec: Spec) -> Provider:
    match spec:
        case OidcSpec():
            return _oidc(place, spec)
        case SamlSpec():
            return _saml(place, spec)
        case LdapSpec():
            return _ldap(file, place, spec)


def _terms(words: Words, path: Path, spec: Spec, *, alone: bool) -> Terms:
    everyone = Gains()
    if spec.default_role is not None:
        words.role(spec.default_role, (*path, "default_role"))
        everyone = Gains(roles=(spec.default_role,))
    named = isinstance(spec, LdapSpec)
    groups: dict[str, Gains] = {}
    for name, each in spec.groups.items():
        here: Path = (*path, "groups", name)
        key = canonical(name) if named else name
        if key in groups:
            words.source.error(here, "this group is there already", "write it once")
        groups[key] = gains(words, here, each)
    return Terms(
        groups=groups,
        everyone=everyone,
        link_by_email=alone if spec.link_by_email is None else spec.link_by_email,
        domains=spec.domains,
    )


def gains(words: Words, path: Path, spec: GainsSpec) -> Gains:
    """What a group of a provider gives. Mistakes go to the source's problems."""
    for here, role in words.each(words.list_at(path, "roles"), spec.roles):
        words.role(role, here)
    known = words.groups
    for here, group in words.each((*path, "groups"), spec.groups):
        if group not in known:
            fix = words.fix(group, here, tuple(known), "define it under groups")
            words.source.error(here, f"no such group: {words.shown(here, group)}", fix)
    return Gains(roles=spec.roles, groups=spec.groups)


def _oidc(place: _Place, spec: OidcSpec) -> OidcProvider:
    where = urlsplit(spec.issuer)
    if spec.default_role is not None and not spec.domains and _for_everybody(spec.issuer):
        message = f"everybody with an account at {where.hostname} would have this role"
        fix = "add domains: [example.com]"
        place.source.error((*place.path, "default_role"), message, fix)
    secret = spec.client_secret
    return OidcProvider(
        name=place.name,
        label=place.label,
        terms=place.terms,
        issuer=spec.issuer,
        client_id=spec.client_id,
        client_secret=None if secret is None else Secret(secret.get_secret_value()),
        client_auth=spec.client_auth,
        scopes=spec.scopes,
        algorithms=tuple(spec.algorithms),
        groups_claim=spec.groups_claim,
        email_claim=spec.email_claim,
        assume_verified=spec.assume_verified,
        asks_again=where.hostname != _GOOGLE if spec.asks_again is None else spec.asks_again,
    )


def _for_everybody(issuer: str) -> bool:
    return any(f"//{each}" in issuer.lower() for each in _EVERYBODY)


def saml_installed(finding: Callable[[str], object] = find_spec) -> bool:
    return finding("onelogin") is not None


def _saml(place: _Place, spec: SamlSpec) -> SamlProvider:
    if not saml_installed():
        fix = 'pip install "torhaus[saml]"'
        place.source.error(place.path, "SAML needs the extra saml, which is not installed", fix)
    doubt_saml(place.source, place.path, spec)
    key = spec.signing_key
    return SamlProvider(
        name=place.name,
        label=place.label,
        terms=place.terms,
        metadata=spec.metadata,
        metadata_url=spec.metadata_url,
        pins=spec.certificate_sha256,
        idp=spec.idp,
        entity_id=spec.entity_id,
        key=None if key is None else Secret(key.get_secret_value()),
        certificate=spec.signing_certificate,
        subject_attributes=spec.subject_attribute,
        email_attributes=spec.email_attribute,
        name_attributes=spec.name_attribute,
        groups_attributes=spec.groups_attribute,
    )


def _ldap(file: File, place: _Place, spec: LdapSpec) -> LdapProvider:
    parts = urlsplit(spec.url)
    search, subject, groups = _DIRECTORIES[spec.directory]
    source, path = place.source, place.path
    ca_file = _beside(source, path, spec.ca_file) or file.egress.path(source)
    if spec.directory == "active_directory" and spec.groups_base is None:
        message = "nothing says where the groups are"
        source.error((*path, "groups_base"), message, "add groups_base: DC=example,DC=com")
    doubt_ldap(source, path, spec, ca_file)
    password = spec.bind_password
    return LdapProvider(
        name=place.name,
        label=place.label,
        terms=place.terms,
        host=parts.hostname or "",
        port=parts.port or _PORTS[parts.scheme],
        tls=parts.scheme == "ldaps",
        base=spec.base,
        bind_dn=spec.bind_dn,
        bind_password=Secret("" if password is None else password.get_secret_value()),
        ca_file=None if ca_file is None else str(ca_file),
        filter=spec.filter or search,
        subject_attribute=spec.subject_attribute or subject,
        email_attribute=spec.email_attribute,
        name_attribute=spec.name_attribute,
        groups_base=spec.groups_base,
        groups_filter=spec.groups_filter or groups,
        recheck=spec.recheck,
    )


def _beside(source: Source, path: Path, name: str | None) -> FilePath | None:
    if name is None:
        return None
    file = FilePath(source.name).absolute().parent / name
    if not file.is_file():
        source.error((*path, "ca_file"), "there is no such file", "correct the path")
    return file
