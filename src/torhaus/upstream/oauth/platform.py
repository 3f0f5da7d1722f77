"""JWTs that the platform gives its workloads: projected service account tokens, SPIFFE, CI."""

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from torhaus.config.commandsecrets import command_secret
from torhaus.config.filesecrets import file_secret
from torhaus.config.problems import FaultError
from torhaus.identity.jose import TokenError, claimed
from torhaus.model.servers import Assertion
from torhaus.upstream.oauth.discovery import OAuthError

SKEW = 60.0
SCHEMES: Mapping[str, Callable[[str, Mapping[str, str], Path], str]] = {
    "file": file_secret,
    "exec": command_secret,
}


async def lent(assertion: Assertion, now: float) -> str:
    """The JWT as it is now: platforms put another in its place long before it ends.

    Raises OAuthError, without a word of it.
    """
    read = SCHEMES[assertion.scheme]
    where = (assertion.what, os.environ, Path(assertion.base))
    try:
        token = (await asyncio.to_thread(read, *where)).strip()
        ends = claimed(token).get("exp")
    except FaultError as error:
        raise OAuthError(f"the platform's assertion cannot be had: {error.message}") from None
    except TokenError:
        raise OAuthError("what the platform gives as its assertion is no JWT") from None
    if isinstance(ends, int | float) and ends <= now - SKEW:
        ago = int(now - ends)
        raise OAuthError(f"the platform's assertion ended {ago} s ago, and no other is there")
    return token
