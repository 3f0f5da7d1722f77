"""Who sent a body, and when."""

import hashlib
import hmac

from torhaus.identity.signature import header, sign


def test_the_signature_is_over_time_and_body() -> None:
    expected = hmac.new(b"secret", b"1700000000.{}", hashlib.sha256).hexdigest()

    assert sign("secret", "1700000000", b"{}") == expected
    assert header("secret", "1700000000", b"{}") == f"t=1700000000,v1={expected}"


def test_another_time_or_secret_is_another_signature() -> None:
    made = {sign("a", "1", b"x"), sign("b", "1", b"x"), sign("a", "2", b"x"), sign("a", "1", b"y")}

    assert len(made) == 4
