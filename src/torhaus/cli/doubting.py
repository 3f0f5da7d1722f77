"""What a configuration means for people, keys and grants of the database: doubts about both."""

from collections.abc import Iterable, Iterator

from torhaus.cli.asking import Told
from torhaus.config.load import Loaded
from torhaus.config.nobody import UNMET
from torhaus.config.problems import Problem
from torhaus.config.tree import spelled
from torhaus.model.credentials import Credential
from torhaus.model.names import HOUSE
from torhaus.model.people import Principal
from torhaus.policy.scopes import permissions

SOME = 3
"""Names that a sentence has room for."""


def warnings(loaded: Loaded, told: Told) -> tuple[Problem, ...]:
    """The file's own, without those that people of the database answer, and doubts about them."""
    rules = loaded.with_grants(told.grants, told.roster).rules
    answered = frozenset(_met(loaded, rules.principals.values()))
    own = (each for each in loaded.warnings if each.message != UNMET or each.path not in answered)
    return (
        *own,
        *_unknown_roles(rules.unknown_roles),
        *_grants(told, rules.roles),
        *_keys(told.keys, {*rules.servers, "*", HOUSE}),
    )


def _met(loaded: Loaded, people: Iterable[Principal]) -> Iterator[str]:
    """Where the file has policies that it has nobody for, and the database has somebody."""
    everybody = [(_ever(each), each.groups, each.email) for each in people]
    for rule in loaded.blueprint.policies:
        if rule.who and any(rule.fits(*each) for each in everybody):
            yield spelled((*rule.path, "applies_to"))


def _ever(who: Principal) -> tuple[str, ...]:
    """All roles he ever has."""
    return tuple({role: None for phase in who.phases for role in phase.roles})


def _unknown_roles(unknown: Iterable[tuple[str, str]]) -> Iterator[Problem]:
    by_role: dict[str, list[str]] = {}
    for email, role in unknown:
        by_role.setdefault(role, []).append(email)
    for role, emails in sorted(by_role.items()):
        has = "has" if len(emails) == 1 else "have"
        message = f"{_some(emails)} {has} the role {role}, which the file does not have"
        fix = "it gives nothing: define it under roles, or take it away with torhaus users change"
        yield _doubt("people", message, fix)


def _grants(told: Told, roles: Iterable[str]) -> Iterator[Problem]:
    known = frozenset(roles)
    for grant in told.grants:
        if grant.role not in known:
            message = f"{grant.id} gives {grant.user} the role {grant.role}, which the file lacks"
            yield _doubt("grants", message, f"torhaus access revoke {grant.id}")


def _keys(keys: Iterable[Credential], servers: Iterable[str]) -> Iterator[Problem]:
    known = frozenset(servers)
    for key in keys:
        dead = [each for each in key.scopes if not _opens(each, known)]
        if dead:
            message = f"{key.id} of {key.email} is held to {', '.join(dead[:SOME])}, which opens"
            fix = f"configure the server, or make another key: torhaus keys revoke {key.id}"
            yield _doubt("keys", f"{message} nothing here", fix)


def _opens(scope: str, servers: frozenset[str]) -> bool:
    try:
        (found,) = permissions((scope,))
    except ValueError:
        return False
    return found.server in servers


def _doubt(path: str, message: str, fix: str) -> Problem:
    return Problem(file="database", line=None, path=path, message=message, fix=fix)


def _some(emails: list[str]) -> str:
    return ", ".join(emails) if len(emails) <= SOME else f"{len(emails)} people"
