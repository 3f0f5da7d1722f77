import os

from torhaus.identity.recovery import COUNT, codes, digest, without


def test_ten_different_codes_are_made() -> None:
    made = codes(os.urandom)

    assert len(set(made)) == COUNT
    assert all(len(each) == 19 and each.count("-") == 3 for each in made)


def test_a_code_opens_once_however_it_is_typed() -> None:
    made = codes(os.urandom)
    kept = tuple(digest(each) for each in made)

    left = without(kept, f" {made[3].upper().replace('-', ' ')} ")

    assert left is not None
    assert len(left) == COUNT - 1
    assert without(left, made[3]) is None
    assert without(left, made[4]) is not None
    assert without(kept, "") is None
