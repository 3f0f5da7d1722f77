"""`auth.scim` compiled: sources of provisioning, by the digests of their tokens."""

from collections.abc import Mapping

from pydantic import SecretStr

from torhaus.config.entrances import gains
from torhaus.config.scim import ScimSpec
from torhaus.config.tree import Path
from torhaus.config.words import Words
from torhaus.identity.keys import digest
from torhaus.model.providers import Gains, Terms
from torhaus.model.provisioning import ScimSource

SHORT = 32


def sources(words: Words, specs: tuple[ScimSpec, ...]) -> tuple[ScimSource, ...]:
    """As the rules have them. Mistakes and doubts go to the source's problems."""
    found: dict[str, ScimSource] = {}
    shown: dict[bytes, str] = {}
    for index, spec in enumerate(specs):
        path: Path = ("auth", "scim", index)
        if spec.name in found:
            words.source.error(
                (*path, "name"), "a source of this name is there already", "rename it"
            )
        digests = tuple(_digests(words, path, spec))
        for each in digests:
            if shown.setdefault(each, spec.name) != spec.name:
                words.source.error(path, f"{shown[each]} has this token too", "give each its own")
        found[spec.name] = ScimSource(
            name=spec.name, digests=digests, terms=_terms(words, path, spec), rate=int(spec.rate)
        )
    return tuple(found.values())


def _digests(words: Words, path: Path, spec: ScimSpec) -> list[bytes]:
    tokens: Mapping[str, SecretStr | None] = {"token": spec.token, "old_token": spec.old_token}
    found = []
    for name, secret in tokens.items():
        if secret is None:
            continue
        text = secret.get_secret_value()
        if len(text) < SHORT:
            message = f"the token is shorter than {SHORT} characters and can be guessed"
            words.source.warn((*path, name), message, "use a random one: openssl rand -hex 32")
        found.append(digest(text))
    return found


def _terms(words: Words, path: Path, spec: ScimSpec) -> Terms:
    everyone = Gains()
    if spec.default_role is not None:
        words.role(spec.default_role, (*path, "default_role"))
        everyone = Gains(roles=(spec.default_role,))
    if spec.default_role is None and not spec.groups:
        message = "whoever is pushed has no role here"
        words.source.warn(path, message, "map the provider's groups, or set default_role")
    groups = {
        name: gains(words, (*path, "groups", name), each) for name, each in spec.groups.items()
    }
    return Terms(groups=groups, everyone=everyone)
