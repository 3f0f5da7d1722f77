from torhaus.config.tree import meant, printable, spelled


def test_paths_are_spelled_as_people_write_them() -> None:
    assert spelled(("users", 0, "api_keys", 12)) == "users[0].api_keys[12]"
    assert spelled(()) == ""
    assert spelled(("\x1b[31m",)) == "?[31m"


def test_the_meant_word_is_found_whatever_its_case() -> None:
    assert meant("mcpservers", ["server", "mcpServers"]) == "mcpServers"
    assert meant("zzz", ["server"]) is None
    assert meant("server" * 100_000, ["server"]) is None


def test_long_and_invisible_text_is_tamed() -> None:
    assert printable("a\nb\u202e") == "a?b?"
    assert len(printable("x" * 10_000)) == 200
