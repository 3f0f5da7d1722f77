"""What only Amazon's own library can do: ask for objects that are in cold storage."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from torhaus.model.keeping import Bucket
from torhaus.store.audit.tiers.shelves import ShelfError

MISSING = (
    "records in GLACIER or DEEP_ARCHIVE are restored through boto3, which is not installed: "
    "pip install 'torhaus[glacier]' where the gateway runs, and start it again"
)


def available() -> bool:
    return find_spec("boto3") is not None


class Glacier:
    """Restores of one bucket. Every method raises ShelfError."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._client: Any = None

    def ask(self, key: str, days: int) -> None:
        """Starts a restore, for so many days; also when one is under way."""
        request = {"Days": days, "GlacierJobParameters": {"Tier": "Standard"}}
        try:
            self._connected().restore_object(
                Bucket=self._bucket.name, Key=key, RestoreRequest=request
            )
        except self._errors() as error:
            if "RestoreAlreadyInProgress" not in str(error):
                raise self._failed(error) from error

    def state(self, key: str) -> str:
        """`frozen`, `thawing` or `ready`."""
        try:
            found = self._connected().head_object(Bucket=self._bucket.name, Key=key)
        except self._errors() as error:
            raise self._failed(error) from error
        said = str(found.get("Restore", ""))
        if 'ongoing-request="true"' in said:
            return "thawing"
        return "ready" if 'ongoing-request="false"' in said else "frozen"

    def _connected(self) -> Any:
        if self._client is None:
            if not available():
                raise ShelfError(MISSING)
            bucket, keys = self._bucket, {}
            if bucket.access_key_id is not None and bucket.secret_access_key is not None:
                keys = {
                    "aws_access_key_id": bucket.access_key_id.reveal(),
                    "aws_secret_access_key": bucket.secret_access_key.reveal(),
                }
            config = import_module("botocore.config").Config(
                connect_timeout=5, read_timeout=30, retries={"max_attempts": 2}
            )
            self._client = (
                import_module("boto3")
                .session.Session()
                .client(
                    "s3",
                    endpoint_url=bucket.endpoint,
                    region_name=bucket.region or "us-east-1",
                    config=config,
                    **keys,
                )
            )
        return self._client

    def _errors(self) -> tuple[type[Exception], ...]:
        if not available():
            return ()
        errors = import_module("botocore.exceptions")
        return (errors.ClientError, errors.BotoCoreError)

    def _failed(self, error: Exception) -> ShelfError:
        response = getattr(error, "response", {})
        code = str(response.get("Error", {}).get("Code", type(error).__name__))[:64]
        return ShelfError(f"the bucket {self._bucket.name} cannot restore: {code}")
