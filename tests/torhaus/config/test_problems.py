from torhaus.config.problems import ConfigError, Problem


def problem(line: int | None, path: str = "a.b", fix: str = "do this") -> Problem:
    return Problem(file="t.yml", line=line, path=path, message="is wrong", fix=fix)


def test_a_problem_reads_like_a_compilers() -> None:
    assert str(problem(3)) == "t.yml:3: a.b: is wrong\n    fix: do this"
    assert str(problem(None, "", "")) == "t.yml: is wrong"


def test_a_flood_of_problems_is_cut_and_counted() -> None:
    said = str(ConfigError([problem(n) for n in range(60)]))

    assert said.count("is wrong") == 50
    assert said.endswith("... and 10 more")
