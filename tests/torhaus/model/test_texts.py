from torhaus.model.texts import filled, marked


def test_what_stands_in_a_value_stays() -> None:
    told = filled(marked("this link is for {email}"), email="{email}@{0}")

    assert told == "this link is for {email}@{0}"
