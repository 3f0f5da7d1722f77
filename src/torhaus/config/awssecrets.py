"""`aws-sm:NAME#FIELD`: a secret of AWS Secrets Manager (extra `torhaus[aws]`)."""

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from torhaus.config.problems import FaultError
from torhaus.config.secretfields import field_of

SECONDS = 10.0
_SETTINGS = {
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "aws_session_token": "AWS_SESSION_TOKEN",
    "profile_name": "AWS_PROFILE",
}


def aws_secret(what: str, environ: Mapping[str, str], _base: Path) -> str:
    """Without #FIELD the whole text. Raises FaultError, without a word of it."""
    name, _, field = what.partition("#")
    if not name:
        raise FaultError("the reference is not whole", "write aws-sm:NAME or aws-sm:NAME#FIELD")
    try:
        boto3: Any = import_module("boto3")
        errors: Any = import_module("botocore.exceptions")
        config: Any = import_module("botocore.config")
    except ImportError:
        text = "boto3 is not installed, which aws-sm: needs"
        raise FaultError(text, "pip install 'torhaus[aws]'") from None
    given = {key: environ[name] for key, name in _SETTINGS.items() if environ.get(name)}
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION")
    patience = config.Config(
        connect_timeout=SECONDS, read_timeout=SECONDS, retries={"max_attempts": 1}
    )
    try:
        session = boto3.session.Session(region_name=region, **given)
        where = environ.get("AWS_ENDPOINT_URL_SECRETS_MANAGER") or environ.get("AWS_ENDPOINT_URL")
        client = session.client("secretsmanager", endpoint_url=where, config=patience)
        text = client.get_secret_value(SecretId=name).get("SecretString")
    except errors.ClientError as error:
        code = error.response.get("Error", {}).get("Code", "an error")
        reason = f"AWS Secrets Manager says {code}: {name}"
        raise FaultError(reason, "check the name, the region, and who may read it") from None
    except errors.BotoCoreError as error:
        reason = f"AWS Secrets Manager cannot be asked: {type(error).__name__}"
        raise FaultError(reason, "check region and credentials (AWS_REGION, ...)") from None
    if not isinstance(text, str):
        raise FaultError(f"{name} is no text", "store it as text")
    if not field:
        return text
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    return field_of(found, field, name)
