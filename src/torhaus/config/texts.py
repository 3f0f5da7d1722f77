"""How names, header fields and secrets are written. No message here repeats a value."""

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from torhaus.config.problems import FaultError

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}")  # RFC 9110 section 5.6.2


def line(value: str) -> str:
    if not value.strip():
        raise FaultError("the value is empty", "write a value or remove the key")
    if CONTROL.search(value):
        raise FaultError(
            "the value holds a line break or control character", "write it on one line"
        )
    return value


def header_name(name: str) -> str:
    if _TOKEN.fullmatch(name) is None:
        raise FaultError("this is not a header's name", "use letters, digits and -")
    return name


def header_value(value: str) -> str:
    """RFC 9110 section 5.5, without obs-text. Never repeats the value: it may be a secret."""
    if re.search(r"[^\t\x20-\x7e]", value):
        raise FaultError(
            "the value holds a line break, control or non-ASCII character",
            "check the variable or file it comes from: often it is a line break at the end",
        )
    if not value.strip():
        raise FaultError("the value is empty", "set the variable, or remove the key")
    if value != value.strip():
        raise FaultError("the value begins or ends with a space", "remove the space")
    return value


def token(value: str) -> str:
    if " " in header_value(value) or "\t" in value:
        raise FaultError("a token holds no spaces", "check the variable or file it comes from")
    return value


def secret(check: Callable[[str], str]) -> AfterValidator:
    def opened(value: SecretStr) -> SecretStr:
        check(value.get_secret_value())
        return value

    return AfterValidator(opened)


Line = Annotated[str, AfterValidator(line)]
Token = Annotated[SecretStr, secret(token)]
HeaderName = Annotated[str, AfterValidator(header_name)]
HeaderValue = Annotated[SecretStr, secret(header_value)]
