import pytest

from torhaus.config.grants import TemporaryAccess

WHO = {"user": "A@x.de", "role": "dev", "valid_until": "2025-12-31"}


def test_temporary_access_adds_from_now_unless_it_says_otherwise() -> None:
    found = TemporaryAccess.model_validate(WHO)

    assert (found.user, found.mode, found.valid_from) == ("a@x.de", "add", None)
    assert found.notify_before_expiry is None


@pytest.mark.parametrize(
    "day", ["2025-12-31", "2025-12-31T18:00:00+01:00", "2025-12-31 18:00", "2025-12-31T18:00Z"]
)
def test_its_ends_are_days_or_moments(day: str) -> None:
    assert TemporaryAccess.model_validate({**WHO, "valid_from": day}).valid_from == day


@pytest.mark.parametrize("day", ["tomorrow", "31.12.2025", "2025-13-01", 20251231, ""])
def test_what_is_no_day_is_refused(day: object) -> None:
    with pytest.raises(ValueError, match=r"not a date|valid string"):
        TemporaryAccess.model_validate({**WHO, "valid_until": day})


def test_a_notice_comes_days_before() -> None:
    found = TemporaryAccess.model_validate({**WHO, "notify_before_expiry": "7d"})

    assert found.notify_before_expiry == 7 * 86400
