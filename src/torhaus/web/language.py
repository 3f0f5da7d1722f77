"""Which language somebody reads: his choice, or else what his browser prefers. Pure."""

from collections.abc import Mapping

LANGUAGES = ("en", "de")
COOKIE = "torhaus-language"


def chosen(cookies: Mapping[str, str], accept_language: str) -> str:
    """What the cookie says, where it says one of ours; else by the header."""
    kept = cookies.get(COOKIE)
    return kept if kept in LANGUAGES else preferred(accept_language)


def preferred(accept_language: str) -> str:
    """German for who prefers it to English, else English (RFC 9110 12.5.4)."""
    german, english = _weight(accept_language, "de"), _weight(accept_language, "en")
    return "de" if german > english else "en"


def _weight(accept_language: str, language: str) -> float:
    best = 0.0
    for part in accept_language[:500].split(","):
        name, _, rest = part.strip().lower().partition(";")
        if name.partition("-")[0].strip() == language:
            best = max(best, _q(rest))
    return best


def _q(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
