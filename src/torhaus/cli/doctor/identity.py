"""Who can come in as whom: certificates, addresses, sign-ins, secrets, the clock."""

import datetime
import os
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509

from torhaus.cli.doctor.finding import Finding, bad, doubt, good
from torhaus.cli.output import counted
from torhaus.config.addresses import is_loopback
from torhaus.config.load import Loaded
from torhaus.config.settings import Settings

SOON, VERY_SOON = 30, 14
"""Days until a certificate ends at which to think of it, and at which it is late."""
DRIFT = 60.0
"""Seconds that files may be newer than the clock."""
RELEASED = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
"""No clock of a machine that runs this is right before."""
SHORTEST = 8
KNOWN = frozenset(
    ("changeme", "change-me", "secret", "password", "passw0rd", "default", "12345678", "letmein")
)


def findings(loaded: Loaded, now: datetime.datetime) -> Iterator[Finding]:
    settings = loaded.settings
    yield from _certificate(settings, now)
    yield from _address(settings)
    yield from _sign_in(loaded)
    yield from _secrets(loaded)
    yield _clock(settings.data_dir, now)


def _certificate(settings: Settings, now: datetime.datetime) -> Iterator[Finding]:
    if settings.tls is None:
        return
    check, path = "certificate", settings.tls.cert
    try:
        found = x509.load_pem_x509_certificates(Path(path).read_bytes())[0]
    except (OSError, ValueError):
        yield bad(check, f"{path} cannot be read", "give a certificate in PEM form")
        return
    left = (found.not_valid_after_utc - now).days
    until = f"{found.not_valid_after_utc:%Y-%m-%d}"
    fix = "renew it; the gateway notices by itself"
    if found.not_valid_after_utc <= now:
        yield bad(check, f"{path} ended on {until}: nobody can connect", fix)
    elif found.not_valid_before_utc > now:
        yield bad(check, f"{path} begins on {found.not_valid_before_utc:%Y-%m-%d}", fix)
    elif left < VERY_SOON:
        yield bad(check, f"{path} ends in {counted(left, 'day')}, on {until}", fix)
    elif left < SOON:
        yield doubt(check, f"{path} ends in {counted(left, 'day')}, on {until}", fix)
    else:
        yield good(check, f"{path} is good until {until}")


def _address(settings: Settings) -> Iterator[Finding]:
    check = "public address"
    if settings.public_url is not None:
        yield good(check, f"links and sign-ins lead to {settings.public_url}")
    elif not is_loopback(settings.host):
        message = "nobody but this machine can sign in: nothing says what others call the gateway"
        yield doubt(check, message, "set server.public_url: https://gateway.example.com")


def _sign_in(loaded: Loaded) -> Iterator[Finding]:
    local, providers = loaded.settings.local, loaded.rules.providers
    if not providers and not local.enabled:
        message = "nobody can sign in in a browser: no provider, and no local accounts"
        yield doubt("sign-in", message, "add auth.oauth, or auth.local: {enabled: true}")
        return
    names = ", ".join(each.label for each in providers) or "passwords kept here"
    yield good("sign-in", f"people sign in with {names}")
    if local.enabled and local.second_factor == "optional":
        message = "administrators can sign in with a password alone"
        fix = "set auth.local.second_factor: administrators"
        yield doubt("second factor", message, fix)


def _secrets(loaded: Loaded) -> Iterator[Finding]:
    texts = [each.reveal() for each in loaded.secrets]
    weak = [each for each in texts if len(each) < SHORTEST or each.lower() in KNOWN]
    if weak:
        message = f"{counted(len(weak), 'secret')} of the file can be guessed: short, or well known"
        yield doubt("secrets", message, "replace them with what a program has made up")
    elif texts:
        yield good("secrets", f"{counted(len(texts), 'secret')}; none is short or well known")


def _clock(data_dir: Path, now: datetime.datetime) -> Finding:
    """Keys, grants and codes end by it, and nobody here can be asked what time it is."""
    check, fix = "clock", "let the machine keep time: timedatectl set-ntp true"
    if now < RELEASED:
        return bad(check, f"it says {now:%Y-%m-%d}, when this version was not there", fix)
    newest = max((_written(each) for each in data_dir.glob("audit/hot/*.jsonl")), default=0.0)
    if newest > now.timestamp() + DRIFT:
        told = datetime.datetime.fromtimestamp(newest, datetime.UTC)
        return bad(
            check, f"it is behind the audit log, which was written {told:%Y-%m-%d %H:%M}", fix
        )
    return good(check, f"it says {now:%Y-%m-%d %H:%M} UTC")


def _written(path: Path) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0  # it was moved meanwhile
