"""Sentences that people read in their own language."""


def marked(text: str) -> str:
    """A text that is translated where it is shown; the name is what the extraction looks for."""
    return text


def filled(text: str, **values: str) -> str:
    """A marked text with `{name}` in it, and what stands there.

    Whoever shows it finds out by its shape which text it was.
    """
    return text.format(**values)
