"""Generated rules and calls, and what must hold of every decision about them."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from random import Random
from typing import Any

import msgspec
from hypothesis import strategies as st

from tests.torhaus.policy.people import server
from torhaus.model.access import (
    Access,
    Bound,
    Effect,
    Origin,
    Permission,
    Policy,
    TagDeny,
)
from torhaus.model.call import Call
from torhaus.model.people import Phase, Principal
from torhaus.model.servers import TargetArgs, ToolClass
from torhaus.model.verdict import Deny, Step
from torhaus.policy.conditions import compile_condition
from torhaus.policy.decide import decide
from torhaus.policy.globs import compile_glob
from torhaus.policy.names import normal
from torhaus.policy.visible import visible

NOW = 1_790_000_000.0
SERVERS = {name: server(name) for name in ("github", "sentry", "acme")}
TYPES = ("*", "issues", "repos", "labels", "contents", "pull_requests", "projects", "dsns")
ACTIONS = ("*", "read", "write", "delete", "admin", "execute", "resolve")
GLOBS = ("myorg/*", "myorg/api", "*/secret-*", "other/a?i", "web", "pro*", "*", "*/*")
KINDS = ("repos", "projects")
WHENS = (None, None, None, 'args.owner == "myorg"', "size(targets) > 0", '"merge" in tags')
NAMES = ("myorg", "api", "myorg/api", "MYORG", "other", "secret-x", "web", "prod", "evil/core")
ODD: tuple[Any, ...] = (
    None,
    7,
    1.5,
    True,
    [],
    ["api"],
    {},
    "",
    " api",
    "api/",
    "..",
    "api.git",
    "a%2fb",
    "\u0430pi",
)
UNKNOWN_TOOLS = ("frobnicate", "x", "delete", "\uff44elete_file", "", "get_gizmo", "purge_gizmo")


# -- rules ----------------------------------------------------------------------------------------


def conditions() -> st.SearchStrategy[Any]:
    return st.sampled_from([None if text is None else compile_condition(text) for text in WHENS])


def permissions() -> st.SearchStrategy[Permission]:
    return st.builds(
        Permission,
        st.just("s"),
        st.sampled_from(TYPES),
        st.sampled_from(ACTIONS),
        st.sampled_from(["one", "two"]),
        conditions(),
    )


def globs() -> st.SearchStrategy[Any]:
    one = st.sampled_from([compile_glob(text) for text in GLOBS])
    return st.lists(one, max_size=3).map(tuple)


def bounds() -> st.SearchStrategy[Bound]:
    return st.builds(
        Bound,
        kind=st.sampled_from(KINDS),
        rule=st.just("bound"),
        allow=st.none() | globs(),
        deny=globs(),
        when=conditions(),
    )


def tag_denies() -> st.SearchStrategy[TagDeny]:
    tags = st.frozensets(st.sampled_from(["sensitive", "personal", "merge"]), min_size=1)
    return st.builds(TagDeny, tags, st.just("tags"))


def origins() -> st.SearchStrategy[Origin]:
    networks = st.sampled_from([None, (), (ip_network("10.0.0.0/8"),)])
    clients = st.sampled_from([None, frozenset({"cursor"})])
    return st.builds(Origin, rule=st.just("origin"), networks=networks, clients=clients)


def policies(effects: tuple[Effect, ...] = tuple(Effect)) -> st.SearchStrategy[Policy]:
    some = st.sampled_from([(), (compile_glob("delete*"),), (compile_glob("*issue*"),)])
    return st.builds(
        Policy,
        name=st.just("policy"),
        effect=st.sampled_from(effects),
        tools=some,
        actions=st.sampled_from([frozenset(), frozenset({"delete"}), frozenset({"write"})]),
        types=st.sampled_from([frozenset(), frozenset({"issues"})]),
        networks=st.sampled_from([None, (ip_network("10.0.0.0/8"),)]),
        clients=st.sampled_from([None, frozenset({"cursor"})]),
        when=conditions(),
    )


def accesses() -> st.SearchStrategy[Access]:
    def some(each: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.just(()) | st.lists(each, max_size=2).map(tuple)

    return st.builds(
        Access,
        allows=st.lists(permissions(), max_size=4).map(tuple),
        denies=some(permissions()),
        bounds=some(bounds()),
        tags=some(tag_denies()),
        origins=some(origins()),
        policies=some(policies()),
        redact=st.none() | st.just("redact"),
    )


REFUSING = tuple(effect for effect in Effect if effect.startswith("deny"))


def additions() -> st.SearchStrategy[tuple[str, Any]]:
    """(field of Access, what is added to it): rules that only take away."""
    return st.one_of(
        st.tuples(st.just("denies"), permissions()),
        st.tuples(st.just("bounds"), bounds()),
        st.tuples(st.just("tags"), tag_denies()),
        st.tuples(st.just("origins"), origins()),
        st.tuples(st.just("policies"), policies(REFUSING)),
    )


def added(access: Access, what: tuple[str, Any]) -> Access:
    field, rule = what
    return msgspec.structs.replace(access, **{field: (*getattr(access, field), rule)})


# -- calls ----------------------------------------------------------------------------------------


def caller(access: Access) -> Principal:
    phase = Phase(begins=NOW - 10, ends=NOW + 10, roles=("dev",), access={"*": access})
    return Principal(id="u", email="u@example.org", phases=(Phase(ends=NOW - 10), phase))


def calls(by: Principal, seed: int, count: int) -> Iterator[Call]:
    """Calls of known and unknown tools, with arguments of every shape."""
    random = Random(seed)
    for number in range(count):
        house = SERVERS[random.choice(("github", "github", "sentry", "acme"))]
        tool = random.choice(list(house.classes) or list(UNKNOWN_TOOLS))
        if random.random() < 0.15:
            tool = random.choice(UNKNOWN_TOOLS)
        arguments = _arguments(random, house.classes.get(normal(tool)))
        yield Call(
            id=f"c{number}",
            caller=by,
            server=house,
            method="tools/call",
            operation=tool,
            arguments=arguments,
            payload=b"{}",
            ip=random.choice(("10.0.0.1", "192.0.2.1", "nowhere")),
            hints=random.choice(({}, {}, {"readOnlyHint": False}, {"destructiveHint": True})),
            client=random.choice(("cursor", "", "other")),
        )


def _arguments(random: Random, row: ToolClass | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if row is None:
        return {"owner": "myorg", "repo": "api"}
    for target in row.targets:
        for name in (*target.args, *target.either):
            if random.random() < 0.85:
                spelt = name if random.random() < 0.97 else name.capitalize()
                found[spelt] = random.choice(NAMES if random.random() < 0.85 else ODD)
    if row.method_arg is not None and random.random() < 0.9:
        found[row.method_arg] = random.choice((*row.method_actions, *row.method_actions, "x", 7))
    if row.dispatch is not None:
        inner = random.choice(list(SERVERS["sentry"].classes.values()))
        name = next(n for n, each in SERVERS["sentry"].classes.items() if each is inner)
        found[row.dispatch[0]] = name
        found[row.dispatch[1]] = {} if inner.dispatch else _arguments(random, inner)
    return found


# -- what must hold -------------------------------------------------------------------------------


def check(access: Access, narrower: Access, seed: int, count: int) -> None:
    """Decide many calls under both rules; the second takes something away from the first."""
    less = caller(narrower)
    for call in calls(caller(access), seed, count):
        verdict = decide(call, NOW)
        trace: list[Step] = []
        assert decide(call, NOW, trace) == verdict, said(call)
        last = trace[-1]
        assert (last.step, last.rule, last.detail) == ("verdict", verdict.rule, verdict.reason)
        if isinstance(verdict, Deny):
            again = decide(msgspec.structs.replace(call, caller=less), NOW)
            assert isinstance(again, Deny), (said(call), verdict, again)
        else:
            assert why_not(access, call) is None, (said(call), verdict)


def said(call: Call) -> str:
    """Enough of a call to make it again."""
    return (
        f"{call.server.name}.{call.operation}{call.arguments} {call.hints} {call.ip} {call.client}"
    )


def why_not(access: Access, call: Call) -> str | None:
    """What is wrong with letting it pass, worked out anew and in another way."""
    if not visible(access, call.server, call.operation, call.hints):
        return "it is not even listed"
    if any(_elsewhere(origin, call) for origin in access.origins):
        return "it comes from elsewhere"
    row, arguments = call.server.classes.get(normal(call.operation)), call.arguments
    if row is not None and row.dispatch is not None:
        name, inner = row.dispatch
        row, arguments = call.server.classes[normal(arguments[name])], arguments[inner]
    actions = _actions(row, arguments, call)
    if actions is None:
        return "its method is no word of the table"
    kinds = _kinds(row, call)
    wrong = next(filter(None, (_unallowed(access, action, kinds) for action in actions)), None)
    if wrong is not None:
        return wrong
    if row is not None and any(each.tags & row.tags for each in access.tags):
        return "it has a tag that is denied"
    return next(filter(None, (_beyond(each, row, arguments) for each in access.bounds)), None)


def _elsewhere(origin: Origin, call: Call) -> bool:
    near = origin.networks is None or (bool(origin.networks) and call.ip.startswith("10."))
    return not near or (origin.clients is not None and call.client not in origin.clients)


def _unallowed(access: Access, action: str, kinds: set[str]) -> str | None:
    if not any(_covers(each, action, kinds) for each in access.allows):
        return f"nobody allows {action}"
    if any(each.when is None and _covers(each, action, kinds) for each in access.denies):
        return f"{action} is denied"
    return None


def _actions(
    row: ToolClass | None, arguments: Mapping[str, Any], call: Call
) -> frozenset[str] | None:
    if row is None:
        return frozenset()
    if row.method_arg is None:
        read = row.actions == {"read"} and call.hints.get("readOnlyHint") is False
        direct = call.server.classes.get(normal(call.operation)) is row
        return frozenset({"write"}) if read and direct else row.actions
    if row.method_arg not in arguments:
        return None if row.method_absent is None else frozenset({row.method_absent})
    value = arguments[row.method_arg]
    if not isinstance(value, str) or value not in row.method_actions:
        return None
    return frozenset({row.method_actions[value]})


def _kinds(row: ToolClass | None, call: Call) -> set[str]:
    kind = "" if row is None else row.type
    kinds = {kind}
    while kind in call.server.parents:
        kind = call.server.parents[kind]
        kinds.add(kind)
    return kinds


def _covers(permission: Permission, action: str, kinds: set[str]) -> bool:
    return permission.action in (action, "*") and (
        permission.type == "*" or permission.type in kinds
    )


_REPO = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


def _beyond(bound: Bound, row: ToolClass | None, arguments: Mapping[str, Any]) -> str | None:
    """Whether the first target's own words say that it lies outside."""
    free = bound.allow is None or any(glob.text == "*" for glob in bound.allow)
    if bound.when is not None or (free and not bound.deny):
        return None
    if row is None or bound.kind in row.blind:
        return "what it is about cannot be told"
    first = row.targets[0] if row.targets else None
    if first is None or first.kind != bound.kind:
        return None
    words = (*first.args, *first.either)
    if any(key.lower() in words and key not in words for key in arguments):
        return "an argument is spelt in another case"
    names = _names(first, arguments)
    if not names and first.missing == "unknown":
        return "it names nothing"
    return next((f"{n!r} is outside" for n in names if not _inside(bound, n, free=free)), None)


def _names(target: TargetArgs, arguments: Mapping[str, Any]) -> list[Any]:
    if target.kind == "repos":
        owner, repo = (arguments.get(name) for name in target.args)
        if not isinstance(repo, str) or "/" not in repo:
            return [f"{owner}/{repo}"]
        return [repo] if owner is None or _owns(owner, repo) else ["two owners"]
    told = [arguments[n] for n in (*target.args, *target.either) if n in arguments]
    lists = [each if isinstance(each, list) and target.many else [each] for each in told]
    return [name for each in lists for name in each]


def _owns(owner: object, repo: str) -> bool:
    return isinstance(owner, str) and repo.lower().startswith(f"{owner.lower()}/")


def _inside(bound: Bound, name: Any, *, free: bool) -> bool:
    if not isinstance(name, str) or (bound.kind == "repos" and not _REPO.fullmatch(name)):
        return False
    allowed = free or any(glob.pattern.fullmatch(name) for glob in bound.allow or ())
    return allowed and not any(glob.pattern.fullmatch(name) for glob in bound.deny)
