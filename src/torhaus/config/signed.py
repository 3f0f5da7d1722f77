"""The shape of what is posted to somebody, who can tell that it is ours."""

from typing import Self

from pydantic import model_validator

from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.texts import Line, Token


class Signed(Shape):
    """What is posted carries a signature (HMAC-SHA-256)."""

    secret: Token | None = None
    """Signs whatever is posted. Best as ${NAME}."""
    secret_file: Line | None = None
    """A file that holds the secret."""

    @model_validator(mode="after")
    def _signed(self) -> Self:
        if self.secret is None:
            raise FaultError("a webhook needs a secret", 'add secret: "${WEBHOOK_SECRET}"')
        return self
