"""A loaded configuration, or what is wrong with it, as text to compare."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from torhaus.config.load import Loaded, load_text
from torhaus.config.problems import ConfigError
from torhaus.model.people import Permission, Principal

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
        for hidden in ("name", "address", "credential", "classes", "parents"):
            del fields[hidden]
        lines.append(f"  {fields}")
        lines.append(f"  tools known: {bool(server.classes)}")
    lines += ["", *(_principal(principal) for principal in rules.principals.values())]
    lines.append(f"keys: {[principal.id for principal in rules.keys.values()]}")
    lines += [f"anonymous: {[str(n) for n in one.networks]}" for one in rules.anonymous]
    lines.append(f"metrics: {[str(network) for network in rules.metrics_networks]}")
    return "\n".join([*lines, "", *(str(warning) for warning in loaded.warnings)])


def _principal(principal: Principal) -> str:
    end = principal.expires
    until = "ever" if end is None else datetime.fromtimestamp(end, UTC).isoformat()
    lines = [f"{principal.id} {principal.roles} until {until}"]
    for server, permissions in principal.access.items():
        lines.append(f"  {server}: {', '.join(map(_permission, permissions))}")
    return "\n".join(lines)


def _permission(grant: Permission) -> str:
    return f"{grant.server}:{grant.type}:{grant.action} ({grant.rule})"


if __name__ == "__main__":
    for case in CASES.glob("*.yml"):
        case.with_suffix(".txt").write_text(summary(case))
