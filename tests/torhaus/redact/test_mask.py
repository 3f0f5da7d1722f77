from torhaus.redact.mask import MASK, is_masked, mask


def test_a_mask_shows_the_kind_and_is_known_again() -> None:
    assert mask("github-token") == "[redacted:github-token]"
    assert MASK.fullmatch(mask("github-token"))
    assert is_masked(mask("email"))
    assert not is_masked("email")


def test_a_mask_cannot_hide_a_secret_of_someone_elses() -> None:
    assert MASK.fullmatch("[redacted:Hunter2]") is None
    assert MASK.fullmatch(f"[redacted:{'a' * 60}]") is None
