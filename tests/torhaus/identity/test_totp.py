import pytest

from torhaus.identity.totp import address, shown, step_of

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(at: int, code: str) -> None:
    assert step_of(SECRET, code, at, None) == at // 30


def test_a_clock_may_be_one_step_off_and_not_two() -> None:
    assert step_of(SECRET, "287082", 29, None) == 1
    assert step_of(SECRET, "287082", 89, None) == 1
    assert step_of(SECRET, "287082", 90, None) is None


def test_a_code_that_was_used_is_over_and_so_are_older_ones() -> None:
    assert step_of(SECRET, "287082", 59, 0) == 1
    assert step_of(SECRET, "287082", 59, 1) is None
    assert step_of(SECRET, "287082", 59, 2) is None


@pytest.mark.parametrize(
    "code",
    ["", "28708", "2870820", "28708a", "\uff12\uff18\uff17\uff10\uff18\uff12", "-87082", "287082x"],
)
def test_what_is_no_code_is_none(code: str) -> None:
    assert step_of(SECRET, code, 59, None) is None


def test_blanks_are_how_apps_show_a_code() -> None:
    assert step_of(SECRET, " 287 082 ", 59, None) == 1


def test_the_secret_is_shown_and_put_into_the_picture() -> None:
    assert shown(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    assert address(SECRET, "a&b@example.org", "Torhaus") == (
        "otpauth://totp/Torhaus:a%26b@example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        "&issuer=Torhaus&algorithm=SHA1&digits=6&period=30"
    )
