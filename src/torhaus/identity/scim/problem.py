"""What is wrong with a SCIM request."""


class ScimError(Exception):
    """An answer that is no success. `kind`: the `scimType` of RFC 7644, or empty."""

    def __init__(self, status: int, detail: str, kind: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind
