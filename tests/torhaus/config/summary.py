"""A loaded configuration, or what is wrong with it, as text to compare."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import isinf
from pathlib import Path

import msgspec

from torhaus.config.load import Loaded, load_text
from torhaus.config.problems import ConfigError
from torhaus.model.access import Access, Bound, Permission
from torhaus.model.people import Principal

CASES = Path(__file__).parent / "cases"
ENVIRON: Mapping[str, str] = {
    "GITHUB_TOKEN": "ghp_secret_of_github",
    "SENTRY_TOKEN": "secret_of_sentry",
    "JIRA_PASSWORD": "secret of jira",
    "ALICE_KEY": "thk_secret_of_alice_0001",
    "PATH": "/nowhere",
}
SECRETS = (*(value for name, value in ENVIRON.items() if name != "PATH"), "alice-secret-key")


def summary(path: Path) -> str:
    try:
        loaded = load_text(path.read_text(), str(path), ENVIRON)
    except ConfigError as error:
        return f"{error}\n".replace(str(path.parent) + "/", "")
    return f"{_loaded(loaded)}\n".replace(str(path.parent), "CASES")


def _loaded(loaded: Loaded) -> str:
    rules = loaded.rules
    lines = [f"{name}: {value}" for name, value in msgspec.structs.asdict(loaded.settings).items()]
    for name, server in rules.servers.items():
        lines += ["", f"server {name}: {server.address}"]
        fields = msgspec.structs.asdict(server)
        for hidden in (
            "name",
            "address",
            "credential",
            "classes",
            "parents",
            "selectors",
            "caching",
            "recorded",
        ):
            del fields[hidden]
        lines.append(f"  {fields}")
        lines.append(f"  tools known: {bool(server.classes)}")
    lines += ["", *(_principal(principal) for principal in rules.principals.values())]
    lines.append(f"keys: {[principal.id for principal in rules.keys.values()]}")
    lines += [f"anonymous: {[str(n) for n in one.networks]}" for one in rules.anonymous]
    lines += [f"grant: {grant}" for grant in rules.grants]
    lines += [f"group {name}: {members}" for name, members in rules.groups.items()]
    lines += [f"pattern: {pattern}" for pattern in rules.patterns]
    lines.append(f"roles: {rules.roles}; {rules.approvals}; webhook: {rules.webhook}")
    lines += [f"view: {view}" for name, view in rules.views.items() if name]
    lines.append(f"metrics: {[str(network) for network in rules.metrics_networks]}")
    return "\n".join([*lines, "", *(str(warning) for warning in loaded.warnings)])


def _principal(principal: Principal) -> str:
    lines = [f"{principal.id} in groups {principal.groups} until {_moment(principal.expires)}"]
    for phase in principal.phases:
        lines.append(f"  {_moment(phase.begins)} to {_moment(phase.ends)}: {phase.roles}")
        for server, access in phase.access.items():
            lines += [f"    {server}: {line}" for line in _access(access)]
    return "\n".join(lines)


def _moment(at: float | None) -> str:
    return "ever" if at is None or isinf(at) else datetime.fromtimestamp(at, UTC).isoformat()


def _access(access: Access) -> list[str]:
    lines = [f"may {_permission(each)}" for each in access.allows]
    lines += [f"may not {_permission(each)}" for each in access.denies]
    lines += [f"not tagged {sorted(each.tags)} ({each.rule})" for each in access.tags]
    lines += [_bound(each) for each in access.bounds]
    lines += [f"from {each}" for each in access.origins]
    lines += [f"policy {each}" for each in access.policies]
    lines += [] if access.redact is None else [f"masked by {access.redact}"]
    return [*lines, f"arguments {access.arguments}, moment {access.moment}"]


def _permission(grant: Permission) -> str:
    when = "" if grant.when is None else f" when {grant.when.text}"
    return f"{grant.server}:{grant.type}:{grant.action} ({grant.rule}){when}"


def _bound(bound: Bound) -> str:
    allow = "any" if bound.allow is None else [glob.text for glob in bound.allow]
    when = "" if bound.when is None else f" when {bound.when.text}"
    deny = [glob.text for glob in bound.deny]
    return f"{bound.kind} in {allow} but not {deny} ({bound.rule}){when}"


if __name__ == "__main__":
    for case in CASES.glob("*.yml"):
        case.with_suffix(".txt").write_text(summary(case))
