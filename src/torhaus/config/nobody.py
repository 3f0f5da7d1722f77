"""Doubts about people: policies that are for nobody, approvals that nobody can give."""

from collections.abc import Sequence

from torhaus.config.access import ADMINISTRATOR
from torhaus.config.people import People
from torhaus.config.policing import Rule
from torhaus.config.rulings import Rulings
from torhaus.config.words import Words
from torhaus.model.access import Effect

# A file can hold thousands of policies and of combinations of roles.
_MOST = 200_000
UNMET = "this applies to nobody: no user fits all of it"


def doubt(
    words: Words, rules: Sequence[Rule], said: Rulings, who: People, *, signs_in: bool
) -> None:
    """Warn of policies that no caller meets, and of approvals without anybody to ask.

    `signs_in`: people can sign in, so that one of them may hold the built-in role.
    """
    callers = _callers(who)
    for rule in rules[: _MOST // max(1, len(callers))]:
        if rule.who and not any(rule.fits(*caller) for caller in callers):
            words.source.warn(
                (*rule.path, "applies_to"), UNMET, "give somebody the role, or remove it"
            )
    built_in = signs_in or any(ADMINISTRATOR in roles for roles, _, _ in callers)
    asking = [rule for rule in rules if rule.policy.effect is Effect.REQUIRE_APPROVAL]
    if any(not rule.policy.approvers for rule in asking) and not _has_admin(
        said, built_in=built_in
    ):
        rule = next(rule for rule in asking if not rule.policy.approvers)
        message = "nobody can approve: no role has admin on a server, and no approvers are named"
        words.source.warn(rule.path, message, "add approvers: [ROLE]")


def _callers(who: People) -> list[tuple[tuple[str, ...], tuple[str, ...], str]]:
    """Roles, groups and address of everyone, with all roles they ever have."""
    later: dict[str, list[str]] = {}
    for grant in who.grants:
        later.setdefault(grant.user, []).append(grant.role)
    persons = [*who.persons.values(), *([who.anonymous] if who.anonymous else [])]
    return [((*p.roles, *later.get(p.email, ())), p.groups, p.email) for p in persons]


def _has_admin(said: Rulings, *, built_in: bool) -> bool:
    return any(
        one.type == "*" and one.action in ("*", "admin")
        for lists in (said.roles, said.groups, said.users)
        for name, rulings in lists.items()
        if built_in or name != ADMINISTRATOR
        for ruling in rulings
        for one in ruling.allows
    )
