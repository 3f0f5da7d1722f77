"""Who can reach the gateway, with what, and what is kept of it: from the configuration alone."""

from collections.abc import Iterator

from torhaus.cli.doctor.finding import Finding, bad, doubt, good
from torhaus.config.addresses import is_loopback
from torhaus.config.load import Loaded
from torhaus.config.problems import Problem
from torhaus.config.settings import Settings
from torhaus.model.rules import Rules


def findings(loaded: Loaded) -> Iterator[Finding]:
    """Every warning of the configuration appears once, under the check it belongs to."""
    yield from _warnings([each for each in loaded.warnings if not _about_keys(each)])
    yield _plaintext(loaded.settings)
    yield from _keys(loaded.rules, [each for each in loaded.warnings if _about_keys(each)])
    yield from _anonymous(loaded.rules)
    yield _durability(loaded.settings)


def _warnings(warnings: list[Problem]) -> Iterator[Finding]:
    for each in warnings:
        yield doubt("configuration", _sentence(each), each.fix)


def _sentence(problem: Problem) -> str:
    where = "" if problem.line is None else f"line {problem.line}, "
    return f"{where}{problem.path}: {problem.message}"


def _plaintext(settings: Settings) -> Finding:
    check = "encryption"
    fix = "set server.tls, or put TLS in front; then server.public_url is its https address"
    if is_loopback(settings.host):
        return good(check, "only programs on this machine can connect")
    if settings.tls is not None:
        return good(check, "only https is spoken")
    if settings.plaintext == "any":
        return bad(check, "keys may cross public networks unencrypted (plaintext: any)", fix)
    if settings.public_url is not None and settings.public_url.startswith("https://"):
        return good(check, f"people reach it as {settings.public_url}")
    if settings.plaintext == "loopback":
        return good(check, "http is accepted from this machine only (plaintext: loopback)")
    return doubt(check, f"keys cross the network unencrypted on {settings.host}", fix)


def _about_keys(problem: Problem) -> bool:
    return ".api_keys" in problem.path


def _keys(rules: Rules, warnings: list[Problem]) -> Iterator[Finding]:
    for each in warnings:
        yield doubt("keys", _sentence(each), each.fix)
    if rules.keys and not warnings:
        yield good("keys", f"{len(rules.keys)} in use; none is short, none is shared")


def _anonymous(rules: Rules) -> Iterator[Finding]:
    for access in rules.anonymous:
        networks = ", ".join(str(network) for network in access.networks)
        message = f"every program in {networks} can call without a key"
        yield doubt("anonymous access", message, "remove auth.anonymous, and give out keys")


def _durability(settings: Settings) -> Finding:
    check = "audit durability"
    audit = settings.audit
    if audit.on_failure == "allow":
        message = "calls go on while no audit record can be written"
        return doubt(check, message, "set audit_logs.on_failure: deny")
    if audit.durability != "async":
        return good(check, "every record is on disk before its answer leaves")
    lost = f"a power cut can lose the records of the last {settings.audit.flush * 1000:g} ms"
    return doubt(check, lost, "set audit_logs.durability: durable")
