"""The shape of `audit_logs.sinks`: where else audit records go."""

import base64
import re
from ipaddress import ip_address
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from torhaus.config.addresses import Url, is_loopback, is_private, networks
from torhaus.config.amounts import Seconds, Whole, between
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.signed import Signed
from torhaus.config.texts import HeaderName, HeaderValue, Line, Token
from torhaus.config.tls import TlsFiles
from torhaus.config.tree import Path, Source
from torhaus.model.secret import Secret
from torhaus.model.shipping import (
    FileTarget,
    OtlpTarget,
    PluginTarget,
    SearchTarget,
    SinkSettings,
    StdoutTarget,
    SyslogTarget,
    Target,
    WebhookTarget,
)
from torhaus.model.tls import Tls

_ADDRESS = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9A-Za-z._-]{1,253})):([0-9]{1,5})")
FACILITIES = {
    "user": 1,
    "daemon": 3,
    "auth": 4,
    "authpriv": 10,
    "audit": 13,
    **{f"local{number}": 16 + number for number in range(8)},
}


def _name(value: str) -> str:
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", value) is None:
        raise FaultError("this is not a sink's name", "use a-z, 0-9, - and _")
    return value


def _address(value: str) -> str:
    found = _ADDRESS.fullmatch(value)
    if found is None or not 0 < int(found[3]) < 65536:
        raise FaultError("this is not an address", "write HOST:PORT, such as logs.internal:6514")
    return value


def _facility(value: str) -> str:
    if value not in FACILITIES:
        raise FaultError("there is no such facility", f"use one of {', '.join(FACILITIES)}")
    return value


def _index(value: str) -> str:
    if re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,150}", value) is None:
        raise FaultError("this is not an index's name", "use a-z, 0-9, - and _")
    return value


def _encrypted(value: str) -> str:
    """Records in plain text cross private networks only; names are looked at on connecting."""
    parts = urlsplit(value)
    if parts.scheme.lower() == "http" and _public(parts.hostname or ""):
        raise FaultError("records would cross public networks unencrypted", "use https")
    return value


def _public(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return not is_loopback(host) and not all(map(is_private, networks([host])))


def _on(value: object) -> object:
    return {} if value is True else None if value is False else value


SinkUrl = Annotated[Url, AfterValidator(_encrypted)]


class FileSpec(Shape):
    """A file that records are appended to. Rotation may rename it."""

    path: Line
    """Where it is, relative to the configuration file."""


class StdoutSpec(Shape):
    """The gateway's standard output."""


class SyslogSpec(TlsFiles):
    """A syslog server: RFC 5424, with the facts as structured data."""

    address: Annotated[str, AfterValidator(_address)]
    """HOST:PORT."""
    transport: Literal["udp", "tcp", "tls"] = "tls"
    """tls (RFC 5425) anywhere; tcp and udp on private networks only."""
    facility: Annotated[str, AfterValidator(_facility)] = "audit"
    """Such as audit, auth, authpriv or local0."""


class AuditWebhookSpec(TlsFiles, Signed):
    """An address of yours that batches of records are posted to, signed."""

    url: SinkUrl
    """Where to: https, or http on private networks."""


class OtlpSpec(TlsFiles):
    """An OpenTelemetry collector: logs over OTLP/HTTP, as JSON."""

    url: SinkUrl
    """Such as https://collector:4318; /v1/logs is added where there is no path."""
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict)
    """Further headers, such as an API key. Values best as ${NAME}."""


class SearchSpec(TlsFiles):
    """Elasticsearch or OpenSearch. Records go to an index for each month."""

    url: SinkUrl
    """The server's address, without _bulk."""
    index: Annotated[str, AfterValidator(_index)] = "torhaus-audit"
    """The start of the indices' names; -2025.10 is added."""
    api_key: Token | None = None
    """An API key, encoded as the server shows it. Best as ${NAME}."""
    api_key_file: Line | None = None
    """A file that holds the key."""
    username: Line | None = None
    """For basic authentication, with password."""
    password: HeaderValue | None = None
    """Best as ${NAME}."""
    password_file: Line | None = None
    """A file that holds the password."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise FaultError("username and password go together", "give both, or neither")
        if self.api_key is not None and self.username is not None:
            raise FaultError("api_key or username and password, one of the two", "remove one")
        return self

    def authorization(self) -> Secret | None:
        if self.api_key is not None:
            return Secret(f"ApiKey {self.api_key.get_secret_value()}")
        if self.username is not None and self.password is not None:
            pair = f"{self.username}:{self.password.get_secret_value()}"
            return Secret(f"Basic {base64.b64encode(pair.encode()).decode()}")
        return None


class PluginSpec(Shape):
    """A sink of another package, under its entry point in torhaus.audit_sinks."""

    entry_point: Line
    """The entry point's name."""
    options: dict[str, JsonValue] = Field(default_factory=dict)
    """What the package wants to know. Secrets belong into files or variables it reads itself."""


_KINDS = ("file", "stdout", "syslog", "webhook", "otlp", "elasticsearch", "opensearch", "plugin")


class SinkSpec(Shape):
    """One place that records are delivered to: name it, and say which kind."""

    name: Annotated[str, AfterValidator(_name)]
    """What it is called in status and metrics. Under another name everything is sent again."""
    file: FileSpec | None = None
    """A file."""
    stdout: Annotated[StdoutSpec | None, BeforeValidator(_on)] = None
    """true: standard output."""
    syslog: SyslogSpec | None = None
    """A syslog server."""
    webhook: AuditWebhookSpec | None = None
    """An address of yours."""
    otlp: OtlpSpec | None = None
    """An OpenTelemetry collector."""
    elasticsearch: SearchSpec | None = None
    """An Elasticsearch server."""
    opensearch: SearchSpec | None = None
    """An OpenSearch server."""
    plugin: PluginSpec | None = None
    """A sink of another package."""
    batch: Annotated[Whole, between(1, 10_000, "between 1 and 10000")] = 500
    """How many records are delivered at once."""
    timeout: Annotated[Seconds, between(1, 300, "between 1s and 5m")] = 10.0
    """How long one delivery may take."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            said = " and ".join(given) or "nothing"
            raise FaultError(
                f"a sink is of one kind, and {said} is given", f"give one of {', '.join(_KINDS)}"
            )
        return self

    @property
    def kind(self) -> str:
        return next(kind for kind in _KINDS if getattr(self, kind) is not None)


def unique(specs: tuple[SinkSpec, ...]) -> tuple[SinkSpec, ...]:
    names = [spec.name for spec in specs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FaultError(f"two sinks are called {twice[0]}", "give each a name of its own")
    return specs


Sinks = Annotated[tuple[SinkSpec, ...], AfterValidator(unique)]


def sinks(source: Source, specs: tuple[SinkSpec, ...]) -> tuple[SinkSettings, ...]:
    """Files that are not there are reported."""
    base = FilePath(source.name).absolute().parent
    found = []
    for number, spec in enumerate(specs):
        target = TARGETS[spec.kind](getattr(spec, spec.kind), base)
        here: Path = ("audit_logs", "sinks", number, spec.kind)
        _files_there(source, here, getattr(target, "trust", Tls()))
        found.append(
            SinkSettings(name=spec.name, target=target, batch=spec.batch, timeout=spec.timeout)
        )
    return tuple(found)


def _files_there(source: Source, here: Path, trust: Tls) -> None:
    for key in ("ca_file", "cert_file", "key_file"):
        path = getattr(trust, key)
        if path is not None and not FilePath(path).is_file():
            source.error((*here, key), "there is no such file", "correct the path")


def _syslog(spec: SyslogSpec, base: FilePath) -> Target:
    found = _ADDRESS.fullmatch(spec.address)
    if found is None:  # every address was checked when it was read
        raise ValueError(spec.address)
    return SyslogTarget(
        host=found[1] or found[2],
        port=int(found[3]),
        transport=spec.transport,
        facility=FACILITIES[spec.facility],
        trust=spec.tls_files(base),
    )


def _webhook(spec: AuditWebhookSpec, base: FilePath) -> Target:
    key = "" if spec.secret is None else spec.secret.get_secret_value()
    return WebhookTarget(url=spec.url, secret=Secret(key), trust=spec.tls_files(base))


def _otlp(spec: OtlpSpec, base: FilePath) -> Target:
    bare = urlsplit(spec.url).path in ("", "/")
    return OtlpTarget(
        url=spec.url.rstrip("/") + "/v1/logs" if bare else spec.url,
        headers=tuple((name, Secret(v.get_secret_value())) for name, v in spec.headers.items()),
        trust=spec.tls_files(base),
    )


def _search(spec: SearchSpec, base: FilePath) -> Target:
    return SearchTarget(
        url=spec.url,
        index=spec.index,
        authorization=spec.authorization(),
        trust=spec.tls_files(base),
    )


TARGETS: dict[str, Any] = {
    "file": lambda spec, base: FileTarget(path=str(base / spec.path)),
    "stdout": lambda _spec, _base: StdoutTarget(),
    "syslog": _syslog,
    "webhook": _webhook,
    "otlp": _otlp,
    "elasticsearch": _search,
    "opensearch": _search,
    "plugin": lambda spec, _base: PluginTarget(
        entry_point=spec.entry_point, options=dict(spec.options)
    ),
}
