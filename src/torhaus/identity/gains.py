"""What the groups of an identity provider give its people here."""

from torhaus.model.providers import Gains, Terms
from torhaus.model.signin import Identity


def gained(terms: Terms, groups: tuple[str, ...]) -> Gains:
    """Roles and groups, each once, in the order of the file."""
    found = [terms.everyone, *(each for name, each in terms.groups.items() if name in groups)]
    return Gains(
        roles=tuple(dict.fromkeys(role for each in found for role in each.roles)),
        groups=tuple(dict.fromkeys(group for each in found for group in each.groups)),
    )


def welcome(terms: Terms, identity: Identity) -> bool:
    """Whether the provider's people with such an address may sign in at all."""
    if not terms.domains:
        return True
    domain = (identity.email or "").rpartition("@")[2]
    return domain in terms.domains
