"""Tokens and keys that can be told by their shape.

Each pattern takes linear time: after its literal beginning comes one run of characters with a
least length and nothing that could fail after it, so a failure is short and a success consumes.
The shapes are those of the services' own documentation and of their secret scanning partners.
"""

import re
from collections.abc import Callable

from torhaus.redact.detector import Detector, Gate, Level, Span, Text, holds, marks, words

Shape = tuple[str, str, Callable[[str], bool] | None]
"""Kind, pattern, and what else must be true of a match."""

# Where a word begins, or after an escape that nobody has resolved (`\n`, `%3D`).
START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2}))"


def random_looking(value: str) -> bool:
    """A digit and letters of both cases, as in few names that people give."""
    return (
        any(each.isdigit() for each in value)
        and any(each.isupper() for each in value)
        and any(each.islower() for each in value)
    )


UNDERSCORED: tuple[Shape, ...] = (
    ("github-token", r"gh[pousr]_[A-Za-z0-9]{30,}+|github_pat_\w{22,}+", None),
    ("stripe-key", r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}+|whsec_[A-Za-z0-9+/=]{24,}+", None),
    ("npm-token", r"npm_[A-Za-z0-9]{36,}+", None),
    ("sentry-token", r"sntry[su]_[\w=+/.-]{20,}+", None),
    ("torhaus-key", START + r"th[ktrsc]_[\w-]{20,}+|" + START + r"tcs_[0-9a-f]{40,}+", None),
    ("huggingface-token", START + r"hf_[A-Za-z0-9]{30,}+", None),
    ("digitalocean-token", r"do[opr]_v1_[a-f0-9]{40,}+", None),
    ("docker-token", r"dckr_[op]at_[\w-]{20,}+", None),
    ("shopify-token", r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32,}+", None),
    ("linear-key", r"lin_(?:api|oauth)_[A-Za-z0-9]{32,}+", None),
    ("grafana-token", r"glsa_[A-Za-z0-9]{20,}+\w*+|glc_[A-Za-z0-9+/=]{32,}+", None),
)
_UNDERSCORE = re.compile(
    r"_(?:(?<=gh[pousr]_)|(?<=_pat_)|(?<=[sr]k_)|(?<=whsec_)|(?<=npm_)|(?<=sntry[su]_)"
    r"|(?<=th[ktrsc]_)|(?<=tcs_)|(?<=hf_)|(?<=do[opr]_)|(?<=dckr_)|(?<=shp[acps][ats]_)"
    r"|(?<=lin_)|(?<=glsa_)|(?<=glc_))"
)

HYPHENED: tuple[Shape, ...] = (
    ("gitlab-token", r"gl(?:pat|soat|ptt|imt|agent|oas|ffct|[drcf]b?t)-[\w-]{20,}+", None),
    ("slack-token", r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}+|xapp-[A-Za-z0-9-]{20,}+", None),
    ("anthropic-key", r"sk-ant-[\w-]{20,}+", None),
    ("openai-key", r"sk-(?:proj|svcacct|admin|or-v1)-[\w-]{20,}+", None),
    ("openai-key", START + r"sk-(?!ant-|proj-|svcacct-|admin-|or-)[\w-]{20,}+", random_looking),
    ("pypi-token", r"pypi-[\w-]{50,}+", None),
    ("age-key", r"AGE-SECRET-KEY-1[0-9A-Z]{40,}+", None),
    ("newrelic-key", START + r"NRAK-[A-Z0-9]{20,}+", None),
    ("postman-key", START + r"PMAK-[a-f0-9-]{40,}+", None),
)
_HYPHEN = re.compile(
    r"-(?<=[a-zA-Z]-)(?:(?<=gl[a-z]{2}-)|(?<=gl[a-z]{3}-)|(?<=gl[a-z]{4}-)|(?<=glagent-)|(?<=xox[a-z]-)|(?<=xapp-)"
    r"|(?<=sk-)|(?<=pypi-)|(?<=KEY-)|(?<=NRAK-)|(?<=PMAK-))"
)

SINGLE: tuple[tuple[Gate, Shape], ...] = (
    (
        words("hooks.slack.com"),
        ("slack-webhook", r"hooks\.slack\.com/[a-z]{3,16}/([\w+/-]{20,}+)", None),
    ),
    (words("dapi"), ("databricks-token", START + r"dapi[0-9a-f]{32}(?![0-9a-zA-Z])", None)),
    (holds("~"), ("azure-key", r"[\w~.-]{3}[0-9]Q~[\w~.-]{31,34}+", None)),
    (
        marks(re.compile(r"J(?<=eyJ)")),
        # The run before the first dot is looked at once: it can begin only where no run goes on.
        (
            "jwt",
            r"(?:(?<![\w-])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f]{2}))"
            r"eyJ[\w-]{8,}+(?:\.[\w-]{4,}+\.[\w-]*+|\.\.[\w-]{8,}+)(?:\.[\w-]++){0,2}+",
            None,
        ),
    ),
)

CAPITAL_A: tuple[Shape, ...] = (
    ("aws-key", r"(?<![A-Z0-9])A(?:KIA|SIA|BIA|CCA)[A-Z2-7]{16}(?![A-Z0-9])", None),
    ("google-key", r"AIza[\w-]{35}", None),
    ("atlassian-token", r"ATATT3[\w=-]{40,}+", None),
    ("telegram-token", r"(?<![0-9])[0-9]{8,10}:AA[\w-]{32,34}(?![\w-])", None),
)
_A = re.compile(r"A(?:[KSB]IA|CCA|Iza|TATT3|(?<=:A)A)")

CAPITAL_S: tuple[Shape, ...] = (
    ("sendgrid-key", START + r"SG\.[\w-]{16,32}+\.[\w-]{16,64}+", None),
    ("twilio-key", START + r"SK[0-9a-f]{32}(?![0-9A-Za-z])", None),
    ("google-token", r"GOCSPX-[\w-]{20,}+", None),
)
_S = re.compile(r"S(?:G\.|K[0-9a-f]{32}|PX-)")

DOTTED: tuple[Shape, ...] = (
    ("google-token", r"ya29\.[\w-]{20,}+", None),
    ("vault-token", START + r"hv[sb]\.[\w-]{24,}+", None),
)
_DOT = re.compile(r"\.(?:(?<=ya29\.)|(?<=hv[sb]\.))")

EQUALLED: tuple[Shape, ...] = (
    ("azure-key", r"(?i:account|access)[Kk]ey=([A-Za-z0-9+/]{40,}+={0,2})", None),
    ("azure-key", r"[?&;]sig=([A-Za-z0-9%+/=]{40,}+)", None),
)
_EQUAL = re.compile(r"=(?:(?<=[Kk]ey=)|(?<=sig=))")


def _family(gate: Gate, shapes: tuple[Shape, ...]) -> Detector:
    rows = [(kind, re.compile(pattern), check) for kind, pattern, check in shapes]

    def find(text: Text) -> list[Span]:
        return [
            Span(*found.span(found.re.groups), kind)
            for kind, pattern, check in rows
            for found in pattern.finditer(text.text)
            if check is None or check(found[0])
        ]

    return Detector(frozenset(kind for kind, _, _ in shapes), Level.SECRETS, gate, find)


TOKENS: tuple[Detector, ...] = (
    _family(marks(_UNDERSCORE), UNDERSCORED),
    _family(marks(_HYPHEN), HYPHENED),
    _family(marks(_A), CAPITAL_A),
    _family(marks(_S), CAPITAL_S),
    _family(marks(_DOT), DOTTED),
    _family(marks(_EQUAL), EQUALLED),
    *(_family(gate, (shape,)) for gate, shape in SINGLE),
)
