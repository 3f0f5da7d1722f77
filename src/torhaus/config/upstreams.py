"""`mcpServers` compiled: addresses with their credentials, limits, and the shipped tool tables."""

import os
import shutil
import sys
from base64 import b64encode
from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from pathlib import Path as FilePath
from urllib.parse import urlsplit

from torhaus.config.addresses import is_loopback
from torhaus.config.classes import classes
from torhaus.config.oauthaccess import oauth_access, told_apart
from torhaus.config.secrets import of_server
from torhaus.config.serverauth import ServerAuth
from torhaus.config.servers import ServerSpec
from torhaus.config.tree import Path, Source
from torhaus.model.secret import Secret
from torhaus.model.servers import (
    ASKABLE,
    ASKABLE_AMONG,
    HttpAddress,
    Server,
    Sharing,
    StdioAddress,
    Window,
)


def server(
    source: Source,
    name: str,
    spec: ServerSpec,
    environ: Mapping[str, str],
    *,
    hide_denied: bool = False,
) -> Server:
    """One server, ready to be reached. Mistakes go to `source.problems`.

    `hide_denied`: for servers that do not say.
    """
    address = _address(source, ("mcpServers", name), spec, environ)
    known = classes(source, name, spec)
    limit = spec.rateLimit
    return Server(
        name=name,
        address=address,
        timeout=spec.timeout,
        connect_timeout=spec.connect_timeout,
        parked_expiry=spec.parked_expiry,
        parked_limit=spec.parked_limit,
        asks=_asks(spec.asks, ASKABLE),
        asks_among=_asks(spec.asks, ASKABLE_AMONG),
        sharing=Sharing(spec.sharing),
        environment=spec.environment,
        credential=credential(address),
        rate_limit=None if limit is None else Window(limit.requests, limit.window),
        rate_counts_hits=limit is not None and limit.count == "all",
        classes=known.classes,
        selectors=known.selectors,
        parents=known.parents,
        drift_new=spec.drift.new,
        drift_changed=spec.drift.changed,
        drift_unlisted=spec.drift.unlisted,
        hide_denied=hide_denied if spec.hide_denied is None else spec.hide_denied,
        health=spec.health.upkeep(),
        secrets=of_server(source, name, spec, address),
    )


def _asks(written: Collection[str] | None, usual: tuple[str, ...]) -> tuple[str, ...]:
    """In one order; the very same tuple where everything may be asked, as the gate looks for it."""
    if written is None:
        return usual
    found = tuple(each for each in ASKABLE if each in written)
    return ASKABLE if found == ASKABLE else found


def _address(
    source: Source, path: Path, spec: ServerSpec, environ: Mapping[str, str]
) -> HttpAddress | StdioAddress:
    base = FilePath(source.name).absolute().parent
    if spec.url is not None:
        return _http(source, path, spec, base)
    cwd = None if spec.cwd is None else base / spec.cwd
    if cwd is not None and not cwd.is_dir():
        source.error((*path, "cwd"), "there is no such directory", "correct the path")
    return StdioAddress(
        command=_command(source, path, spec.command or "", environ),
        args=tuple(spec.args),
        env=tuple((name, Secret(value.get_secret_value())) for name, value in spec.env.items()),
        cwd=None if cwd is None else str(cwd),
        idle=spec.idle,
        era=spec.era,
    )


def _command(source: Source, path: Path, command: str, environ: Mapping[str, str]) -> str:
    """The program's absolute path: a bare name beside our own Python first, then in PATH.

    Servers installed into the same virtual environment are found without activating it. A name
    found nowhere stays as it is: the server is down until it is installed, the others work.
    """
    if os.sep in command:
        found = shutil.which(FilePath(source.name).absolute().parent / command)
    else:
        beside = str(FilePath(sys.executable).parent)
        found = shutil.which(command, path=beside) or shutil.which(
            command, path=environ.get("PATH", os.defpath)
        )
    if found is None:
        where = "at this path" if os.sep in command else "beside Torhaus's Python or in PATH"
        fix = "install it, or write its absolute path"
        source.warn((*path, "command"), f"there is no such program {where}", fix)
        return command
    return os.fspath(FilePath(found).absolute())


def _http(source: Source, path: Path, spec: ServerSpec, base: FilePath) -> HttpAddress:
    url = spec.url or ""
    headers = [(name, Secret(value.get_secret_value())) for name, value in spec.headers.items()]
    auth = spec.auth
    if auth is not None and auth.type not in ("stored", "oauth"):
        headers.insert(0, _authorization(auth))
    parts = urlsplit(url)
    if (
        (headers or auth is not None)
        and parts.scheme.lower() == "http"
        and not is_loopback(parts.hostname or "")
    ):
        source.warn(
            (*path, "url"),
            "the credential crosses the network unencrypted (http)",
            "use https, or keep the way to this server private",
        )
    ca_file = None if spec.ca_file is None else base / spec.ca_file
    if ca_file is not None and not ca_file.is_file():
        source.error((*path, "ca_file"), "there is no such file", "correct the path")
    return HttpAddress(
        url=url,
        headers=tuple(headers),
        transport=spec.transport,
        era=spec.era,
        ca_file=None if ca_file is None else str(ca_file),
        stored=auth is not None and auth.type == "stored",
        oauth=None if auth is None else oauth_access(source, (*path, "auth"), auth),
    )


def _authorization(auth: ServerAuth) -> tuple[str, Secret]:
    def opened(field: str) -> str:
        value = getattr(auth, field)
        return "" if value is None else str(value.get_secret_value())

    match auth.type:
        case "bearer":
            return "Authorization", Secret(f"Bearer {opened('token')}")
        case "basic":
            pair = f"{opened('username')}:{opened('password')}".encode()
            return "Authorization", Secret(f"Basic {b64encode(pair).decode()}")
        case _:
            return auth.name or "", Secret(opened("value"))


def credential(address: HttpAddress | StdioAddress) -> str:
    """32 hex digits that differ whenever the server or what it is told about us differs.

    A digest under a name of its own, cut short: it tells credentials apart and gives none away.
    """
    match address:
        case HttpAddress():
            parts = ["http", address.url, address.transport, address.era, address.ca_file or ""]
            parts += ["stored"] if address.stored else []
            parts += [] if address.oauth is None else told_apart(address.oauth)
            pairs = address.headers
        case StdioAddress():
            parts = ["stdio", address.command, str(len(address.args)), *address.args]
            parts.append(address.cwd or "")
            parts += [] if address.era == "auto" else [address.era]
            pairs = address.env
    parts += [text for name, value in sorted_pairs(pairs) for text in (name, value)]
    return digest_of("torhaus upstream credential", parts)[:32]


def sorted_pairs(pairs: Iterable[tuple[str, Secret]]) -> list[tuple[str, str]]:
    return sorted((name, value.reveal()) for name, value in pairs)


def digest_of(domain: str, parts: Iterable[str]) -> str:
    """SHA-256 over texts with their lengths, so that no two lists of texts look alike."""
    state = sha256(domain.encode())
    for part in parts:
        raw = part.encode()
        state.update(len(raw).to_bytes(8))
        state.update(raw)
    return state.hexdigest()
