import pytest

from tests.torhaus.redact.samples import CARD, IBAN, MAIL, hexes, token
from torhaus.redact.detector import Level
from torhaus.redact.text import detectors, redact_text

PERSONAL = detectors([Level.PERSONAL])
CARDS = [
    token("4111 1111", " 1111 1111"),
    token("4111-1111-", "1111-1111"),
    token("5555", "555555554444"),
    token("4111.1111.", "1111.1111"),
    token("2223 0031 ", "2200 3222"),
    token("3782", "822463", "10005"),
    token("3782 822", "463 10005"),
    token("3056", "930902", "5904"),
    token("3530", "111333300000"),
    token("6011", "111111111117"),
]
IBANS = [
    token("DE89 3704 ", "0044 0532 0130 00"),
    token("de89", "370400440532013000"),
    token("GB29-NWBK-", "6016-1331-9268-19"),
    token("NL91", "ABNA0417164300"),
    token("AT61 1904 ", "3002 3457 3201"),
    token("FR14 2004 1010 ", "0505 0001 3M02 606"),
    token("CH93 0076 ", "2011 6238 5295 7"),
    token("NO93 8601", " 1117 947"),
]
PHONES = [
    token("+49", " 30 1234567"),
    token("+49", "301234567"),
    token("+49 (0)30", " / 123 45-67"),
    token("+49-171-", "1234567"),
    token("+1 (555) ", "123-4567"),
    token("+44 20 ", "7946 0958"),
    token("+43", " 1 5880858"),
    token("0049 30 ", "1234567"),
    token("030 ", "12345678"),
    token("0171/", "1234567"),
    token("0171", "12345678"),
    token("089-", "1234567"),
    token("(030) ", "123 456 78"),
    token("06221 / ", "123456"),
    token("Tel.: ", "030123456"),
    token("Fax ", "(089) 123456"),
]
MAILS = [
    MAIL,
    token("bob.smith+x", "@", "mail.example.co.uk"),
    token("o'brien", "@", "example.org"),
    token("jörg", "@", "bücher.example"),
    token("a_b-c", "@", "x.io"),
    token("carol", "%40", "example.org"),
]
AROUND = [
    ("", ""), ("call ", " today"), ("<", ">"), ("- ", "."), ("(", ")"), ("a\n", "\nb"), ('"', '"'),
    ("x ", ", y"), ("", "?"), ("mailto ", ";"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        *(("card", each) for each in [CARD, *CARDS]),
        *(("iban", each) for each in [IBAN, *IBANS]),
        *(("phone", each) for each in PHONES),
        *(("email", each) for each in MAILS),
    ],
)
def test_personal_data_is_masked_wherever_it_stands(kind: str, data: str) -> None:
    for before, after in AROUND:
        masked = redact_text(f"{before}{data}{after}", PERSONAL)

        assert masked.counts == {kind: 1}, masked.text
        assert f"[redacted:{kind}]" in masked.text
        assert not any(each.isdigit() for each in masked.text)
        assert "@" not in masked.text


@pytest.mark.parametrize(
    "harmless",
    [
        "2025-10-20",
        "20.10.2025 14:23:11",
        "2025-10-20T14:23:11.234Z",
        "2025-10-20T14:23:11+0200",
        "10/20/2025",
        "01/02/2024",
        "01.02.2024 09:30",
        "version 1.2.3",
        "1.2.3+20240101123456",
        "v10.0.19041.3636",
        "issue #12345678",
        "PR 4111, 4112 and 4113",
        "id 1234567890123",
        "1700000000000",
        "1700000000000000000",
        "4111111111111112",
        "4111 1111 1111 1112",
        "550e8400-e29b-41d4-a716-446655440000",
        hexes(40),
        hexes(32),
        "192.168.100.200",
        "10.0.0.1:8080",
        "2001:db8::1",
        "ISBN 978-3-16-148410-0",
        "ISBN 0-306-40615-2",
        "EAN 4006381333931",
        "DE89 3704 0044 0532 0130 01",
        "DE8937040044053201300",
        "XX89370400440532013000",
        "GB29",
        "AB12CD34EF56GH78IJ90KL12",
        "@alice please look",
        "thanks @octo-cat!",
        "@scope/package@1.2.3",
        "react@18.2.0",
        "typescript@5.4.0-beta.two",
        "package@v1.2.beta",
        "icon@2x.png",
        "git@github.com:myorg/api.git",
        "x = a @ b",
        "@app.route('/')",
        "a@b",
        "alice@localhost",
        "user@",
        "@example.org",
        "C++17 and C++20",
        "+1 for this",
        "+15 -3 lines",
        "@@ -10,7 +10,8 @@",
        "GMT+01:00",
        "x+1234567",
        "0x1234567890",
        "0.123456789012",
        "0123456789",
        "00:30:15",
        "007",
        "0800",
        "1 000 000 000 bytes",
        "1,234,567,890",
        "12 345 678",
        "port 8080, 8081, 9090",
        "01067 Dresden",
        "100% of 30 tests in 12.5 s",
        "line 4111:1111",
        "3.14159265358979",
        "0000 0001 0002 0003",
        "deadbeef 0123 4567 89ab cdef",
        "/issues/0171/1234567",
        "rgba(0, 123, 255, 0.5)",
        "telephone lines",
        "| 1 | 2 | 3 |",
    ],
)
def test_numbers_and_at_signs_that_are_nobodys_stay(harmless: str) -> None:
    masked = redact_text(harmless, PERSONAL)

    assert masked.text is harmless, masked.text


def test_personal_data_stays_where_only_secrets_are_looked_for() -> None:
    text = f"{MAIL} {CARD} {IBAN} {PHONES[0]}"

    assert redact_text(text, detectors([Level.SECRETS])).text is text


def test_a_number_between_others_is_found() -> None:
    masked = redact_text(f"order 12, card {CARDS[0]} 12/27 123, {IBANS[4]} from 2020", PERSONAL)

    assert masked.text == "order 12, card [redacted:card] 12/27 123, [redacted:iban] from 2020"
