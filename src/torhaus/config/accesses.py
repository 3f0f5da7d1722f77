"""Rulings and policies put together: what callers in the same roles and groups may do where."""

from collections.abc import Iterable, Mapping, Sequence

from torhaus.config.policing import Rule
from torhaus.config.problems import FaultError
from torhaus.config.rulings import Ruling, Rulings
from torhaus.model.access import Access, Bound, Effect, Permission, Policy

# Rules a file may multiply to, over all combinations of roles: 5,000 users need some thousands.
MAX_PARTS = 1_000_000


class Accesses:
    """Built once for each combination of roles and groups, and for users that rules name."""

    def __init__(self, servers: Iterable[str], rulings: Rulings, rules: Sequence[Rule]) -> None:
        self._servers = (*servers, "*")
        self._rulings = rulings
        self._everybodys = tuple(at for at, rule in enumerate(rules) if not rule.who)
        self._rules = rules
        self._by_name = _by_name(rules)
        self._special = {
            *rulings.users,
            *(
                name
                for rule in rules
                for kind, names in rule.who
                if kind == "user"
                for name in names
            ),
        }
        self._shared: dict[tuple[tuple[str, ...], tuple[str, ...]], Mapping[str, Access]] = {}
        self._policies: dict[tuple[tuple[int, ...], str], tuple[Policy, ...]] = {}
        self._on: dict[tuple[str, str, str], tuple[Ruling, ...]] = {}
        self._parts = 0

    def of(
        self, roles: tuple[str, ...], groups: tuple[str, ...], user: str
    ) -> Mapping[str, Access]:
        """Server -> access, shared by all callers that the rules do not tell apart.

        Raises FaultError when the file's rules multiply beyond all reason.
        """
        if user in self._special:
            return self._personal(roles, groups, user)
        key = (roles, groups)
        found = self._shared.get(key)
        if found is None:
            chosen = self._chosen(roles, groups, user)
            found = self._shared[key] = {
                server: self._access(server, self._said(server, roles, groups), chosen)
                for server in self._servers
            }
        return found

    def _personal(
        self, roles: tuple[str, ...], groups: tuple[str, ...], user: str
    ) -> Mapping[str, Access]:
        """As everybody in these roles, except where a rule names this user."""
        base = self.of(roles, groups, "")
        chosen = self._chosen(roles, groups, user)
        named = set(chosen) - set(self._chosen(roles, groups, ""))
        own = {ruling.server for ruling in self._rulings.users.get(user, ())}
        found = dict(base)
        for server in self._servers:
            if not named and server not in own:
                continue
            said = [*self._said(server, roles, groups), *self._ruling("users", user, server)]
            found[server] = self._access(server, said, chosen)
        return found

    def _chosen(
        self, roles: tuple[str, ...], groups: tuple[str, ...], user: str
    ) -> tuple[int, ...]:
        """Which policies are for such a caller."""
        held = [("role", name) for name in roles] + [("group", name) for name in groups]
        maybe = {at for key in (*held, ("user", user)) for at in self._by_name.get(key, ())}
        self._count(len(maybe))
        some = [at for at in maybe if self._rules[at].fits(roles, groups, user)]
        return tuple(sorted((*self._everybodys, *some))) if some else self._everybodys

    def _said(self, server: str, roles: tuple[str, ...], groups: tuple[str, ...]) -> list[Ruling]:
        return [
            ruling
            for kind, names in (("roles", roles), ("groups", groups))
            for name in names
            for ruling in self._ruling(kind, name, server)
        ]

    def _ruling(self, kind: str, name: str, server: str) -> tuple[Ruling, ...]:
        """What is said of one name, as far as it is about a server."""
        key = (kind, name, server)
        found = self._on.get(key)
        if found is None:
            said = getattr(self._rulings, kind).get(name, ())
            found = self._on[key] = tuple(
                _here(ruling, server) for ruling in said if ruling.server in ("*", server)
            )
        return found

    def _access(self, server: str, said: Sequence[Ruling], chosen: tuple[int, ...]) -> Access:
        allowing = [ruling for ruling in said if ruling.exclusive] or said
        policies = self._on_server(server, chosen)
        policies = (*(each for ruling in said for each in ruling.policies), *policies)
        masking = [each.redact for each in said if each.redact is not None]
        masking += [each.name for each in policies if _masks_all(each)]
        access = Access(
            allows=tuple(_distinct(each for ruling in allowing for each in ruling.allows)),
            denies=tuple(_distinct(each for ruling in said for each in ruling.denies)),
            tags=tuple(each for ruling in said for each in ruling.tags),
            bounds=tuple(each for ruling in said for each in ruling.bounds),
            origins=tuple(each for ruling in said for each in ruling.origins),
            policies=tuple(each for each in policies if not _masks_all(each)),
            redact=next(
                (r.redact for r in said if r.redact is not None), next(iter(masking), None)
            ),
        )
        return self._counted(access)

    def _counted(self, access: Access) -> Access:
        lists = (access.allows, access.denies, access.bounds, access.policies)
        self._count(1 + sum(map(len, lists)))
        return with_needs(access)

    def _count(self, parts: int) -> None:
        self._parts += parts
        if self._parts > MAX_PARTS:
            raise FaultError(
                "the rules and combinations of roles multiply to too many",
                "give users fewer combinations of roles, or write fewer rules",
            )

    def _on_server(self, server: str, chosen: tuple[int, ...]) -> tuple[Policy, ...]:
        key = (chosen, server)
        found = self._policies.get(key)
        if found is None:
            each = (self._rules[at].on(server) for at in chosen)
            found = self._policies[key] = tuple(policy for policy in each if policy is not None)
        return found


def with_needs(access: Access) -> Access:
    """With `arguments` and `moment` as its rules have them."""
    ruled: tuple[Permission | Bound | Policy, ...] = (
        *access.allows,
        *access.denies,
        *access.bounds,
        *access.policies,
    )
    conditional = any(each.when is not None for each in ruled)
    timed = any(
        each.hours is not None or each.networks is not None or each.clients is not None
        for each in access.policies
    )
    return Access(
        allows=access.allows,
        denies=access.denies,
        tags=access.tags,
        bounds=access.bounds,
        origins=access.origins,
        policies=access.policies,
        redact=access.redact,
        arguments=conditional or bool(access.bounds),
        moment=conditional or timed or bool(access.origins),
    )


def _by_name(rules: Sequence[Rule]) -> dict[tuple[str, str], list[int]]:
    """The policies by a name that a caller must have for them to fit."""
    found: dict[tuple[str, str], list[int]] = {}
    for at, rule in enumerate(rules):
        for kind, names in rule.who[:1]:
            for name in names:
                found.setdefault((kind, name), []).append(at)
    return found


def _here(ruling: Ruling, server: str) -> Ruling:
    """Without permissions for other servers."""
    return Ruling(
        server=ruling.server,
        allows=tuple(each for each in ruling.allows if each.server in ("*", server)),
        denies=tuple(each for each in ruling.denies if each.server in ("*", server)),
        tags=ruling.tags,
        bounds=ruling.bounds,
        origins=ruling.origins,
        policies=ruling.policies,
        redact=ruling.redact,
        exclusive=ruling.exclusive,
    )


def _distinct(permissions: Iterable[Permission]) -> Iterable[Permission]:
    """The same permission from two roles counts once, under the first one's name."""
    seen = set()
    for each in permissions:
        what = (each.server, each.type, each.action, None if each.when is None else each.when.text)
        if what not in seen:
            seen.add(what)
            yield each


def _masks_all(policy: Policy) -> bool:
    """Whether it has every call of its callers on its servers masked."""
    asks = (policy.hours, policy.networks, policy.clients, policy.when)
    lists = (policy.tools, policy.actions, policy.types)
    return policy.effect is Effect.REDACT and not any(lists) and all(x is None for x in asks)
