from torhaus.store.state.statements import insert, put, select, without_nul


def test_columns_are_filled_from_parameters_of_their_names() -> None:
    assert str(insert("t", "a, b", " ON CONFLICT DO NOTHING")) == (
        "INSERT INTO t (a, b) VALUES (:a, :b) ON CONFLICT DO NOTHING"
    )
    assert str(select("t", "a, b", "a = :a")) == "SELECT a, b FROM t WHERE a = :a"


def test_what_is_put_changes_all_but_the_key() -> None:
    assert str(put("t", "a, b, c", ["a"])) == (
        "INSERT INTO t (a, b, c) VALUES (:a, :b, :c) "
        "ON CONFLICT (a) DO UPDATE SET b = excluded.b, c = excluded.c"
    )


def test_what_is_put_may_say_more() -> None:
    assert str(put("t", "a, b", ["a"], " RETURNING b")).endswith("b = excluded.b RETURNING b")


def test_only_texts_with_nul_change() -> None:
    found = without_nul(("a\0b", "a", b"\0", None, 1.5, "\0"))

    assert found == ("a\uffffb", "a", b"\0", None, 1.5, "\uffff")
