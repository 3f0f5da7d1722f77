import pytest

from tests.torhaus.redact.samples import CARD, IBAN
from torhaus.redact.checksums import IBAN_LENGTHS, iban, luhn


def test_the_check_digit_of_a_card_counts() -> None:
    assert luhn(CARD)
    assert not any(luhn(CARD[:-1] + str(digit)) for digit in range(10) if str(digit) != CARD[-1])


def test_two_digits_that_changed_places_are_noticed() -> None:
    assert not luhn("14" + CARD[2:])


def test_country_length_and_check_of_an_iban_count() -> None:
    assert iban(IBAN)
    assert not iban(IBAN[:-1] + "1")
    assert not iban(IBAN[:-1])
    assert not iban("XX" + IBAN[2:])
    assert not iban("")


@pytest.mark.parametrize("country", IBAN_LENGTHS)
def test_lengths_are_those_of_the_registry(country: str) -> None:
    assert 15 <= IBAN_LENGTHS[country] <= 34
