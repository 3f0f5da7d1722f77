"""What somebody has here of his own: keys, sessions, consents, service accounts."""

import msgspec

from torhaus.admin.people.books import Everybody, Listed
from torhaus.model.credentials import CredentialKind, Family, FamilyKind, Kept
from torhaus.model.desk import Office
from torhaus.model.rules import Rules


class Mine(msgspec.Struct, frozen=True):
    """What there is and has not ended, the newest first."""

    keys: tuple[Kept, ...]
    sessions: tuple[Family, ...]
    consents: tuple[Family, ...]
    programs: tuple[Listed, ...] = ()


async def mine(office: Office, email: str, rules: Rules, now: float) -> Mine:
    """Raises StateError."""
    async with office.read() as desk:
        keys = await desk.credentials.of(email)
        families = await desk.families.of(email)
        everybody = Everybody(await desk.persons.every(), rules)
    programs = everybody.listed(email, now).programs
    living = [each for each in families if each.ended is None and each.expires > now]
    return Mine(
        tuple(each for each in keys if _is_key(each, now)),
        tuple(each for each in living if each.kind is FamilyKind.SESSION),
        tuple(each for each in living if each.kind is FamilyKind.CONSENT),
        tuple(everybody.listed(each, now) for each in programs),
    )


def _is_key(kept: Kept, now: float) -> bool:
    key = kept.credential
    alive = kept.ended is None and (key.expires is None or key.expires > now)
    return key.kind is CredentialKind.KEY and alive
