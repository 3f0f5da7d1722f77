"""What to mask beyond the shipped detectors."""

import msgspec


class Pattern(msgspec.Struct, frozen=True):
    """One entry of `data_classes.patterns`: `text` is a regular expression, `name` its kind.

    What it matches becomes `[redacted:<name>]`; metrics and audit count it under `name`. Whoever
    builds one checks it with `torhaus.redact.patterns.checked`.
    """

    name: str
    text: str
