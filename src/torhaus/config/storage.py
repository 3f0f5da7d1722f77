"""The shape of `storage`: where Torhaus keeps what lasts."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import SecretStr

from torhaus.config.buckets import BucketSpec
from torhaus.config.problems import FaultError
from torhaus.config.redis import RedisSpec
from torhaus.config.shape import Shape
from torhaus.config.texts import secret, token

POSTGRES = ("postgresql://", "postgres://")


def _database(value: str) -> str:
    """Never repeats the value: it holds the password."""
    if not token(value).startswith(POSTGRES):
        raise FaultError(
            "this is not the URL of a PostgreSQL database",
            "write postgresql://USER:${PASSWORD}@HOST/NAME, or leave it out for SQLite",
        )
    return value


DatabaseUrl = Annotated[SecretStr, secret(_database)]


class Storage(Shape):
    """Where Torhaus keeps what lasts."""

    state: DatabaseUrl | None = None
    """A PostgreSQL URL, best with ${NAME} for the password; state.db in data_dir without it. Needs
    a restart."""
    state_file: str | None = None
    """A file that holds the URL."""
    redis: RedisSpec | None = None
    """Redis or Valkey, where several gateways share cache and limits. Needs a restart."""
    audit: BucketSpec | None = None
    """An S3 bucket for warm and cold audit records; on the disk without it. Needs a restart."""
    later: ClassVar[Mapping[str, str]] = {
        "cache": "a place for the cache alone; redis is for cache and limits",
        "limits": "a place for limits alone; redis is for cache and limits",
    }
