"""One field of a secret that has several."""

from torhaus.config.problems import FaultError


def field_of(found: object, field: str, where: str) -> str:
    """Raises FaultError, without a word of what is there."""
    value = found.get(field) if isinstance(found, dict) else None
    if isinstance(value, str):
        return value
    raise FaultError(f"{where} has no field {field!r}", "name a field that it has, after #")
