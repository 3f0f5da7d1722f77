"""Names of a directory (RFC 4514) in one form, so that two spellings of one are equal."""

import re

# An escaped octet or character, or one that is not escaped.
_PART = re.compile(r"\\([0-9a-fA-F]{2}|.)|([^\\])", re.DOTALL)
_SPECIAL = frozenset(',+"\\<>;=')


Pair = tuple[str, str]


def canonical(name: str) -> str:
    """Lower case, one way to escape, no spaces around. What is no such name only in lower case."""
    if "=" not in name:
        return name.strip().lower()
    rdns = (sorted(f"{key}={_spelled(value)}".lower() for key, value in rdn) for rdn in parts(name))
    return ",".join("+".join(rdn) for rdn in rdns)


def parts(name: str) -> list[list[Pair]]:
    """(attribute, value) pairs of each part, mostly one; values without escapes."""
    return [[_pair(each) for each in _split(rdn, "+")] for rdn in _split(name, ",;")]


def below(name: str, base: str) -> str | None:
    """The common name of what is directly below `base`, both in canonical form."""
    if not name.endswith(f",{base}"):
        return None
    inside = parts(name.removesuffix(f",{base}"))
    if len(inside) != 1 or len(inside[0]) != 1:
        return None
    [(attribute, value)] = inside[0]
    return value if attribute == "cn" else None


def _pair(text: str) -> Pair:
    attribute, _, value = text.partition("=")
    return attribute.strip(), _plain(_trimmed(value))


def _trimmed(value: str) -> str:
    """Without spaces around, but for one that is escaped."""
    bare = value.strip(" ")
    return bare + " " if bare.endswith("\\") and not bare.endswith("\\\\") else bare


def _split(text: str, separators: str) -> list[str]:
    found, start, index = [], 0, 0
    while index < len(text):
        if text[index] == "\\":
            index += 1
        elif text[index] in separators:
            found.append(text[start:index])
            start = index + 1
        index += 1
    return [*found, text[start:]]


def _plain(value: str) -> str:
    """Escapes taken away. Octets are UTF-8; what is none stays visibly wrong."""
    raw = b""
    for escaped, plain in _PART.findall(value):
        if len(escaped) == 2:
            raw += bytes.fromhex(escaped)
        else:
            raw += (escaped or plain).encode(errors="replace")
    return raw.decode(errors="replace")


def _spelled(value: str) -> str:
    text = "".join(f"\\{each}" if each in _SPECIAL else each for each in value)
    if text[:1] in ("#", " "):
        text = "\\" + text
    return text[:-1] + "\\ " if text.endswith(" ") and len(value) > 1 else text
