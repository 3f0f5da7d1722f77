"""The shape of `storage.redis`: where several gateways share cache and limits."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from torhaus.config.access import TEXT_OR_TEXTS, listed
from torhaus.config.amounts import Seconds, Whole, between
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.texts import HeaderValue, Line
from torhaus.config.tls import TlsFiles
from torhaus.model.redis import Login, OnUnavailable, RedisSettings, Topology
from torhaus.model.secret import Secret

_ADDRESS = re.compile(r"(?:\[([0-9a-fA-F:.]+)\]|([0-9A-Za-z._-]{1,253}))(?::([0-9]{1,5}))?")
_SENTINELS = {"primary", "sentinel_username", "sentinel_password", "sentinel_password_file"}
_PORTS = {"single": 6379, "sentinel": 26379, "cluster": 6379}


def _address(value: str) -> str:
    found = _ADDRESS.fullmatch(value)
    if found is None or not 0 < int(found[3] or 1) < 65536:
        raise FaultError("this is not an address", "write HOST:PORT, such as redis.internal:6379")
    return value


def _namespace(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value) is None:
        raise FaultError("this is not a namespace", "use letters, digits, - and _")
    return value


def _tls(value: object) -> object:
    return {} if value is True else None if value is False else value


Address = Annotated[str, AfterValidator(_address)]
Wait = Annotated[Seconds, between(0.01, 60, "between 10ms and 60s")]


class RedisSpec(Shape):
    """Redis 6.2 or newer, or Valkey. Several gateways with the same one act as one."""

    addresses: Annotated[
        tuple[Address, ...],
        BeforeValidator(listed),
        Field(min_length=1),
        WithJsonSchema(TEXT_OR_TEXTS),
    ]
    """HOST:PORT of the server, of its sentinels, or of some nodes of a cluster."""
    topology: Literal["single", "sentinel", "cluster"] = "single"
    """What answers there."""
    primary: Line = "mymaster"
    """What the sentinels call the group."""
    username: Line = "default"
    """An ACL user."""
    password: HeaderValue | None = None
    """Best as ${NAME}."""
    password_file: Line | None = None
    """A file that holds the password."""
    sentinel_username: Line = "default"
    """An ACL user of the sentinels."""
    sentinel_password: HeaderValue | None = None
    """For the sentinels themselves. Best as ${NAME}."""
    sentinel_password_file: Line | None = None
    """A file that holds it."""
    tls: Annotated[TlsFiles | None, BeforeValidator(_tls)] = None
    """true, or a block with files."""
    database: Annotated[Whole, between(0, 1023, "between 0 and 1023")] = 0
    """Its number; a cluster has only 0."""
    namespace: Annotated[str, AfterValidator(_namespace)] = "torhaus"
    """The start of every key, so that several installations can share a server."""
    timeout: Wait = 0.25
    """How long one question may take before calls go on without the server."""
    connect_timeout: Wait = 1.0
    """Longest wait for a connection."""
    on_unavailable: Literal["local", "deny"] = "local"
    """What limits do meanwhile: count in this process alone within its share, or refuse."""
    gateways: Annotated[Whole, between(1, 10_000, "at least 1")] | None = None
    """How many gateways share the limits; as many as were last seen without it."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.topology == "single" and len(self.addresses) > 1:
            raise FaultError(
                "one server has one address", "use topology: sentinel or topology: cluster"
            )
        if self.topology == "cluster" and self.database:
            raise FaultError("a cluster has only database 0", "remove database")
        sentinels = sorted(self.model_fields_set & _SENTINELS)
        if self.topology != "sentinel" and sentinels:
            raise FaultError(f"{sentinels[0]} is for sentinels", "add topology: sentinel")
        for user, password in (
            ("username", self.password),
            ("sentinel_username", self.sentinel_password),
        ):
            if user in self.model_fields_set and password is None:
                said = f"{user} without a password would not log in"
                raise FaultError(said, f"add {user.replace('username', 'password')}")
        return self

    def settings(self, base: Path) -> RedisSettings:
        """`base`: the folder that paths are relative to."""
        return RedisSettings(
            addresses=tuple(map(self._split, self.addresses)),
            topology=Topology(self.topology),
            primary=self.primary,
            login=_login(self.username, self.password),
            sentinel_login=_login(self.sentinel_username, self.sentinel_password),
            tls=None if self.tls is None else self.tls.tls_files(base),
            database=self.database,
            namespace=self.namespace,
            timeout=self.timeout,
            connect_timeout=self.connect_timeout,
            on_unavailable=OnUnavailable(self.on_unavailable),
            gateways=self.gateways,
        )

    def _split(self, address: str) -> tuple[str, int]:
        found = _ADDRESS.fullmatch(address)
        if found is None:  # every address was checked when it was read
            raise ValueError(address)
        return found[1] or found[2], int(found[3] or _PORTS[self.topology])


def _login(user: str, password: HeaderValue | None) -> Login | None:
    return None if password is None else Login(user, Secret(password.get_secret_value()))
