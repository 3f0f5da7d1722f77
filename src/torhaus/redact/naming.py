"""Names that say their value is a secret, such as `client_secret`."""

import re
from functools import lru_cache

TOKENS = "tokens"
MAX_NAME = 80
"""Longer keys are no names."""

_SEPARATORS = re.compile(r"[\W_]+")
_PASSWORD = re.compile(
    r"passw(?:or[dt]|d)?|passphrase|passcode|kennwort|(?<![a-z])pwd|pwd(?![a-z])"
)
_SECRET = re.compile(
    r"secret|token(?!iz)|apikey|accesskey|privatekey|signingkey|encryptionkey|masterkey|accountkey"
    r"|authkey|sharedkey|sessionkey|authorization|credential|connectionstring|webhookurl"
    r"|recoverycodes?|backupcodes?"
)
_COOKIE = re.compile(r"^(?:set|session)?cookies?$|^(?:php)?sess(?:ion)?id$")
# What is said about a secret: the last word of the name.
_ABOUT = frozenset(
    [
        "url",
        "uri",
        "href",
        "at",
        "on",
        "id",
        "ids",
        "name",
        "names",
        "type",
        "types",
        "kind",
        "count",
        "counts",
        "total",
        "limit",
        "usage",
        "used",
        "length",
        "size",
        "max",
        "min",
        "budget",
        "policy",
        "policies",
        "hint",
        "endpoint",
        "expiry",
        "expires",
        "expiration",
        "expired",
        "enabled",
        "disabled",
        "required",
        "reset",
        "changed",
        "status",
        "state",
        "scope",
        "scopes",
        "scanning",
        "alert",
        "alerts",
        "protection",
        "rotation",
        "version",
        "visibility",
        "label",
        "description",
        "format",
        "algorithm",
        "method",
        "issuer",
        "details",
        "index",
        "field",
        "path",
        "file",
        "manager",
        "provider",
        "store",
        "prefix",
        "in",
        "days",
        "seconds",
        "ttl",
        "valid",
    ]
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# Tokens that are places in a list or amounts of text.
_PLACE = re.compile(
    r"(?:page|sync|progress|continuation|next|prev|previous|cursor|resume|delta|scroll)token$"
    r"|(?:max|min|total|num|input|output|prompt|completion|cached|reasoning|new|used|context)"
    r"[a-z]*tokens?$|tokens(?:in|out|used|per[a-z]+)$"
)
_PHONE = re.compile(
    r"(?:(?<!micro)(?<!head)(?<!ear)phone|mobile|mobil|handy|telefon|fax|msisdn)(?:no|nr|number|nummer)?$|^tel$"
)
_CARD = re.compile(r"(?:creditcard|debitcard|cardno|cardnumber|ccnumber|kreditkarte)[a-z]*$|^pan$")

_PUBLIC = re.compile(
    r"(?:(?:key|token|session):)?(?:adm|con|jag_adm)_[0-9a-f]{20,32}|file-key:[0-9]{1,4}"
)


def public(value: str) -> bool:
    """Whether it is what records call a credential: its id, which is no secret.

    An auditor asks for `credential = 'key:adm_...'`, and what he asked must stay readable.
    """
    return _PUBLIC.fullmatch(value) is not None


@lru_cache(maxsize=4096)
def telling(name: str) -> str | None:
    """What a value under this name is: `password`, `secret`, `cookie`, `phone`, `card`, or None.

    Or TOKENS: strings are secrets, and numbers amounts.
    Case and separators make no difference: `apiKey`, `API_KEY` and `x-api-key` are one name.
    """
    if len(name) > MAX_NAME or name.startswith("[redacted:"):
        return None
    plain = _SEPARATORS.sub("", name).lower()
    if _PASSWORD.search(plain):
        return None if _about(name) else "password"
    if _SECRET.search(plain):
        if _PLACE.search(plain) or _about(name):
            return None
        return TOKENS if plain.endswith("tokens") else "secret"
    if _COOKIE.search(plain):
        return "cookie"
    if _PHONE.search(plain):
        return "phone"
    return "card" if _CARD.search(plain) else None


def _about(name: str) -> bool:
    parts = _WORD.findall(name)
    if not parts or parts[-1].lower() not in _ABOUT:
        return False
    return not (len(parts) > 1 and parts[-2].lower() == "webhook")  # its URL is the secret
