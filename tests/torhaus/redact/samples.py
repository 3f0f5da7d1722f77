"""Made-up secrets, put together at run time: nothing here is one, or looks like one in the file."""

LETTERS = "abcdefghijklmnopqrstuvwxyz"
MIXED = "A1b2C3d4E5f6G7h8J9k0LmNoPqRsTuVwXyZaBcDeF"
HEX = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


def token(*parts: str) -> str:
    return "".join(parts)


def mixed(length: int) -> str:
    return (MIXED * (length // len(MIXED) + 1))[:length]


def hexes(length: int) -> str:
    return (HEX * (length // len(HEX) + 1))[:length]


def pem(kind: str = "", *, end: bool = True, newline: str = "\n") -> str:
    label = token(kind, "PRIV", "ATE KEY")
    body = newline.join([mixed(64), mixed(64), mixed(20) + "=="])
    first, last = f"-----BEGIN {label}-----", f"-----END {label}-----"
    return newline.join([first, body, last] if end else [first, body])


GITHUB = token("gh", "p_", mixed(36))
SLACK = token("xo", "xb-", "123456789012-", mixed(24))
JWT = token("ey", "JhbGciOiJIUzI1NiJ9", ".ey", "JzdWIiOiIxMjM0In0", ".", mixed(43))
AWS = token("AK", "IA", "ABCDEFGH23456723")
CARD = token("4111", "1111", "1111", "1111")
IBAN = token("DE89", "3704", "0044", "0532", "0130", "00")
PHONE = token("+49", " 30 ", "1234567")
MAIL = token("alice", "@", "example.org")

TOKENS: dict[str, list[str]] = {
    "github-token": [
        GITHUB,
        *(token("gh", each, "_", mixed(36)) for each in "ousr"),
        token("github", "_pat_", mixed(22), "_", mixed(59)),
    ],
    "gitlab-token": [
        token("glp", "at-", mixed(20)),
        token("gld", "t-", mixed(20)),
        token("glr", "t-", mixed(22)),
        token("glcb", "t-64_", mixed(20)),
        token("glso", "at-", mixed(20)),
        token("glag", "ent-", mixed(50)),
        token("glf", "t-", mixed(20)),
        token("glpt", "t-", hexes(40)),
    ],
    "slack-token": [SLACK, token("xo", "xp-", mixed(30)), token("xa", "pp-1-A012-123-", hexes(64))],
    "slack-webhook": [token("https://hooks.sl", "ack.com/services/T01/B01/", mixed(24))],
    "aws-key": [AWS, token("AS", "IA", "ABCDEFGH23456723")],
    "google-key": [token("AI", "za", mixed(35))],
    "google-token": [token("ya", "29.", mixed(60)), token("GOC", "SPX-", mixed(28))],
    "azure-key": [
        token("Account", "Key=", mixed(86), "=="),
        token("https://x.blob.core.windows.net/c?sv=2020&s", "ig=", mixed(43), "%3D"),
        token("abc8", "Q~", mixed(34)),
    ],
    "stripe-key": [
        token("sk_", "live_", mixed(24)),
        token("rk_", "live_", mixed(24)),
        token("wh", "sec_", mixed(32)),
    ],
    "openai-key": [token("s", "k-", mixed(48)), token("s", "k-proj-", mixed(48))],
    "anthropic-key": [token("s", "k-ant-api03-", mixed(80))],
    "npm-token": [token("np", "m_", mixed(36))],
    "pypi-token": [token("py", "pi-AgE", mixed(90))],
    "sendgrid-key": [token("S", "G.", mixed(22), ".", mixed(43))],
    "twilio-key": [token("S", "K", hexes(32))],
    "sentry-token": [token("sntr", "ys_", mixed(80)), token("sntr", "yu_", hexes(64))],
    "jwt": [JWT, token("ey", "JhbGciOiJkaXIifQ", "..", mixed(16), ".", mixed(40), ".", mixed(22))],
    "torhaus-key": [
        *(token("th", each, "_", mixed(49)) for each in "ktrsc"),
        token("tc", "s_", hexes(64)),
    ],
    "huggingface-token": [token("h", "f_", mixed(34))],
    "digitalocean-token": [token("do", "p_v1_", hexes(64))],
    "docker-token": [token("dc", "kr_pat_", mixed(27))],
    "shopify-token": [token("shp", "at_", hexes(32))],
    "linear-key": [token("li", "n_api_", mixed(40))],
    "grafana-token": [token("gls", "a_", mixed(32), "_a1b2c3d4")],
    "vault-token": [token("hv", "s.", mixed(90))],
    "atlassian-token": [token("ATA", "TT3", mixed(180), "=", "A1B2C3D4")],
    "telegram-token": [token("123456789", ":A", "A", mixed(33))],
    "databricks-token": [token("da", "pi", hexes(32))],
    "newrelic-key": [token("NR", "AK-", mixed(27).upper())],
    "postman-key": [token("PM", "AK-", hexes(24), "-", hexes(34))],
    "age-key": [token("AGE-SEC", "RET-KEY-1", mixed(58).upper())],
}
