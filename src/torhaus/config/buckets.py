"""The shape of `storage.audit`: where warm and cold audit records are, if not on the disk."""

import re
from ipaddress import ip_address, ip_network
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr, model_validator

from torhaus.config.access import Short
from torhaus.config.addresses import Url, is_loopback, is_private
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.texts import Token
from torhaus.model.keeping import FROZEN, Bucket
from torhaus.model.secret import Secret

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.=-]{0,62}/?){0,8}")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
_INSIDE = (".local", ".internal", ".lan", ".home.arpa", ".svc", ".test")

StorageClass = Literal[
    "STANDARD",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "REDUCED_REDUNDANCY",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
]


def _bucket(value: str) -> str:
    if _NAME.fullmatch(value) is None or ".." in value:
        raise FaultError("this is not a bucket's name", "write 3 to 63 of a-z, 0-9, - and .")
    return value


def _prefix(value: str) -> str:
    if value.startswith("/") or "//" in value or _PREFIX.fullmatch(value) is None:
        raise FaultError(
            "this is not a prefix", "write letters, digits, - and _, with / between: team/audit"
        )
    return value


def _region(value: str) -> str:
    if _REGION.fullmatch(value) is None:
        raise FaultError("this is not a region", "write it as eu-central-1")
    return value


def _endpoint(value: str) -> str:
    parts = urlsplit(value)
    if parts.path not in ("", "/") or parts.query:
        raise FaultError("the endpoint has a path", "write scheme and host only; see prefix")
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}"


class Classes(Shape):
    """The storage class of each tier's objects; without it the bucket's own."""

    warm: StorageClass | None = None
    """One that can be read at once, such as STANDARD_IA."""
    cold: StorageClass | None = None
    """Such as GLACIER, from which records are restored before they are queried."""
    archive: StorageClass | None = None
    """Of what is archived after its retention; as cold without it."""

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self.warm in FROZEN:
            raise FaultError(
                f"warm records are queried, and {self.warm} cannot be read at once",
                "use warm: STANDARD_IA or GLACIER_IR, and GLACIER for cold",
            )
        return self


def both(value: object) -> object:
    """One class for every tier."""
    return {"warm": value, "cold": value} if isinstance(value, str) else value


class BucketSpec(Shape):
    """An S3 bucket, or one of a server that speaks S3."""

    bucket: Annotated[str, AfterValidator(_bucket)]
    """Its name."""
    endpoint: Annotated[Url, AfterValidator(_endpoint)] | None = None
    """The server's URL; Amazon's own without it."""
    region: Annotated[str, AfterValidator(_region)] | None = None
    """Such as eu-central-1. Needed for Amazon's."""
    access_key_id: Token | None = None
    """Best as ${NAME}. Without keys: those of the environment, the pod or the machine."""
    access_key_id_file: str | None = None
    """A file that holds it."""
    secret_access_key: Token | None = None
    """Best as ${NAME}."""
    secret_access_key_file: str | None = None
    """A file that holds it."""
    prefix: Annotated[str, AfterValidator(_prefix)] = ""
    """The start of every object's name, such as torhaus/."""
    storage_class: Annotated[Classes, BeforeValidator(both), Short({"type": "string"})] = Classes()
    """A class for each tier, or one for all."""
    plaintext: Literal["loopback", "private"] | None = None
    """From where http without TLS is accepted: this machine, or your own network. Off."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise FaultError(
                "access_key_id and secret_access_key go together", "give both, or neither"
            )
        if self.endpoint is None and self.region is None:
            raise FaultError("Amazon's buckets are in a region", "add region: eu-central-1")
        if self.endpoint is not None and self.endpoint.startswith("http:"):
            self._open(urlsplit(self.endpoint).hostname or "")
        return self

    def _open(self, host: str) -> None:
        if self.plaintext == "loopback" and is_loopback(host):
            return
        if self.plaintext == "private" and _within(host):
            return
        if self.plaintext is None and _within(host):
            word = "loopback" if is_loopback(host) else "private"
            raise FaultError(
                "audit records would cross the network unencrypted (http)",
                f"use https, or say that this is meant: plaintext: {word}",
            )
        raise FaultError(
            "audit records would cross a network that is not known to be yours, unencrypted",
            "use https",
        )

    def settings(self) -> Bucket:
        prefix = self.prefix.rstrip("/")
        classes = self.storage_class
        return Bucket(
            name=self.bucket,
            endpoint=self.endpoint,
            region=self.region,
            access_key_id=_secret(self.access_key_id),
            secret_access_key=_secret(self.secret_access_key),
            prefix=f"{prefix}/" if prefix else "",
            warm_class=classes.warm or "",
            cold_class=classes.cold or "",
            archive_class=classes.archive or classes.cold or "",
            plaintext=self.endpoint is not None and self.endpoint.startswith("http:"),
        )


def _within(host: str) -> bool:
    """Whether a name or address can be told to lie in one's own network."""
    try:
        return is_private(ip_network(ip_address(host)))
    except ValueError:
        name = host.lower().rstrip(".")
        return "." not in name or name.endswith(_INSIDE)


def _secret(value: SecretStr | None) -> Secret | None:
    return None if value is None else Secret(value.get_secret_value())
