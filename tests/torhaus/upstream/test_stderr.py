"""The last words of a process, without its secrets."""

from torhaus.upstream.stderr import KEPT_LINES, Stderr


def test_the_last_lines_are_kept():
    stderr = Stderr("s", [])
    for number in range(50):
        stderr.feed(b"line %d\n" % number)

    assert stderr.last() == "line 49"
    assert len(stderr.lines()) == KEPT_LINES


def test_a_line_without_an_end_counts_when_the_process_is_gone():
    stderr = Stderr("s", [])
    stderr.feed(b"first\nlast wor")
    stderr.feed(b"ds")
    stderr.finish()

    assert stderr.last() == "last words"


def test_nothing_said_is_nothing_kept():
    stderr = Stderr("s", [])
    stderr.feed(b"\n  \n\n")
    stderr.finish()

    assert stderr.last() is None


def test_secrets_are_hidden_also_when_they_arrive_in_pieces_or_contain_each_other():
    stderr = Stderr("s", ["abcd", "abcd-longer", "x", ""])
    stderr.feed(b"token abc")
    stderr.feed(b"d-longer and abcd x\n")

    assert stderr.last() == "token ••• and ••• x"


def test_each_line_of_a_long_secret_is_hidden():
    stderr = Stderr("s", ["-----BEGIN KEY-----\nMIIEvQIB\n-----END KEY-----"])
    stderr.feed(b"bad key: MIIEvQIB!\n")

    assert stderr.last() == "bad key: •••!"


def test_no_part_of_a_secret_survives_the_cut_of_a_long_line():
    secret = "s" * 600
    stderr = Stderr("s", [secret])
    stderr.feed(b"x" * 499 + secret.encode() + b"\n")
    stderr.feed(b"y" * 65_500 + secret.encode() + b"\n")

    assert stderr.lines() == ("x" * 499 + "•", "(an overlong line)")


def test_control_characters_do_not_reach_the_log():
    stderr = Stderr("s", [])
    stderr.feed(b"\x1b[31mred\x1b[0m\rforged \xff\n")

    assert stderr.last() == "[31mred [0m forged \N{REPLACEMENT CHARACTER}"
