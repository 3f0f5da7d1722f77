import pytest

from tests.torhaus.redact.samples import hexes, mixed, pem, token
from torhaus.redact.detector import Level
from torhaus.redact.text import detectors, redact_text

SECRETS = detectors([Level.SECRETS])


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA "])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\\n", "\\r\\n", "\\\\n", " "])
@pytest.mark.parametrize("end", [True, False])
def test_a_private_key_is_masked_as_a_whole(kind: str, newline: str, end: bool) -> None:
    text = f"before {pem(kind, end=end, newline=newline)}{newline}after all"

    masked = redact_text(text, SECRETS)

    assert masked.counts == {"private-key": 1}
    assert mixed(8) not in masked.text
    assert masked.text.startswith("before [redacted:private-key]")
    assert masked.text.endswith("all")


def test_headers_of_a_private_key_are_part_of_it() -> None:
    lines = pem("RSA ", end=False).split("\n")
    lines[1:1] = ["Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,0011", ""]

    assert redact_text("\n".join(lines), SECRETS).text == "[redacted:private-key]"


def test_keys_of_other_programs_are_masked() -> None:
    armoured = token("-----BEGIN PGP PRIV", "ATE KEY BLOCK-----\n\n", mixed(64), "\n=abcd\n",
                     "-----END PGP PRIV", "ATE KEY BLOCK-----")  # fmt: skip
    putty = token("Private-", "Lines: 2\n", mixed(64), "\n", mixed(40), "\nPrivate-MAC: 00")

    assert redact_text(armoured, SECRETS).text == "[redacted:private-key]"
    assert redact_text(putty, SECRETS).text == "[redacted:private-key]Private-MAC: 00"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://app:s3cr3t@db:5432/x", "postgres://app:[redacted:url-password]@db:5432/x"),
        ("https://:p@h/", "https://:[redacted:url-password]@h/"),
        ("redis://default:a-b.c!@h", "redis://default:[redacted:url-password]@h"),
        (token("https://", hexes(32), "@o1.example.org/2"),
         "https://[redacted:sentry-dsn]@o1.example.org/2"),
        ("https://x-" + mixed(30) + "@github.com/a/b",
         "https://[redacted:url-password]@github.com/a/b"),
        ("Authorization: Bearer " + mixed(20), "Authorization: Bearer [redacted:authorization]"),
        ('-H "authorization: token ' + mixed(20) + '"',
         '-H "authorization: token [redacted:authorization]"'),
        ("authorization=Basic YWxpY2U6c2VzYW1l", "authorization=Basic [redacted:authorization]"),
        ("use bearer " + mixed(40), "use bearer [redacted:authorization]"),
        ("curl -u alice:s3cr3t https://x", "curl -u alice:[redacted:password] https://x"),
        ("curl --user 'a:b c'", "curl --user 'a:b c'"),
        ("Cookie: session=abc; theme=dark\nHost: x", "Cookie: [redacted:cookie]\nHost: x"),
        ("set-cookie: sid=1f; Path=/", "set-cookie: [redacted:cookie]"),
    ],
)  # fmt: skip
def test_credentials_in_headers_and_urls_are_masked(text: str, masked: str) -> None:
    assert redact_text(text, SECRETS).text == masked


@pytest.mark.parametrize(
    "harmless",
    [
        "-----BEGIN CERTIFICATE-----\n" + mixed(64) + "\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\n" + mixed(64),
        token("files that begin with -----BEGIN PRIV", "ATE KEY----- are refused, says the test"),
        "https://example.org:8080/a@b",
        "https://example.org/a:b@c",
        "https://alice@example.org/",
        "http://localhost:3000",
        "postgres://user:${DB_PASS}@db/x",
        "ssh://git@github.com/myorg/api",
        "basic authentication is off",
        "Bearer authentication",
        "the bearer of this letter",
        "Authorization: required",
        "authorization checks happen in middleware",
        "cookie: none",
        "docker run -u 1000:1000 img",
        "curl -u $USER:$PASS https://x",
        "cookies are eaten",
        "a -- b ---- c",
    ],
)
def test_what_only_resembles_a_credential_stays(harmless: str) -> None:
    assert redact_text(harmless, SECRETS).text is harmless
