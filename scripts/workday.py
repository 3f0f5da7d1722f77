"""A working day of ten developers and their agents, made up: who asks what, and when.

Nothing here was measured at a company. What is assumed: everybody has a share of his work in the
same few repositories (Zipf), agents ask in bursts, look at the same thing again while they work on
it, and about every sixteenth call writes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any

OWNER = "myorg"
HOUR = 3600.0
BEGINS, ENDS, STANDUP = 9 * HOUR, 17.5 * HOUR, 9.5 * HOUR
LUNCH = (12.25 * HOUR, 13 * HOUR)


@dataclass(frozen=True, kw_only=True)
class Team:
    """How many there are of everything, and how unequally they are asked for (Zipf's exponent)."""

    developers: int = 10
    agents: int = 2
    """Of each developer, at work at the same time."""
    repositories: int = 8
    issues: int = 25
    """Open in each repository."""
    skew: float = 1.0
    pause: float = 600.0
    """Seconds between two tasks of one agent, on average."""


@dataclass(frozen=True, slots=True, order=True)
class Question:
    """One tool call. `at`: seconds since midnight."""

    at: float
    who: int
    server: str
    tool: str
    arguments: Mapping[str, Any]


class Workday:
    """The same day for the same seed."""

    def __init__(self, team: Team, seed: int) -> None:
        self.team = team
        self._chance = Random(seed)
        self._repositories = Zipf(team.repositories, team.skew)
        self._issues = Zipf(team.issues, team.skew)
        self._tasks = (self._triage, self._fix, self._watch, self._report)

    def questions(self) -> list[Question]:
        """All of a day, in order of time."""
        asked = [each for who in range(self.team.developers) for each in self._day(who)]
        return sorted(asked, key=lambda each: (each.at, each.who))

    def _day(self, who: int) -> Iterator[Question]:
        at = STANDUP + self._chance.uniform(-300.0, 300.0)
        yield from self._spread(who, at, self._standup())
        for _ in range(self.team.agents):
            yield from self._agent(who)

    def _agent(self, who: int) -> Iterator[Question]:
        at = BEGINS + self._chance.uniform(0.0, HOUR / 2)
        while at < ENDS:
            if not LUNCH[0] <= at < LUNCH[1]:
                task = self._chance.choices(self._tasks, (3, 4, 2, 1))[0]
                asked = [*self._spread(who, at, task())]
                yield from asked
                at = asked[-1].at
            at += self._chance.expovariate(1.0 / self.team.pause)

    def _spread(self, who: int, at: float, steps: Sequence["Step"]) -> Iterator[Question]:
        """An agent asks every few seconds, now and then it thinks for longer."""
        for server, tool, arguments in steps:
            yield Question(at, who, server, tool, arguments)
            long = self._chance.random() < 0.1
            at += self._chance.uniform(20.0, 90.0) if long else self._chance.uniform(1.5, 12.0)

    # -- tasks -----------------------------------------------------------------------------------

    def _standup(self) -> "list[Step]":
        repos = [self._repo() for _ in range(3)]
        lists = [_github("list_issues", repo) for repo in repos]
        return [("github", "list_repos", {"owner": OWNER}), *lists, _mine()]

    def _triage(self) -> "list[Step]":
        repo = self._repo()
        issues = [_issue(repo, self._issues.one(self._chance)) for _ in range(self._some(2, 5))]
        steps = [_github("list_issues", repo), *issues, _sentry("get_errors", repo)]
        if self._chance.random() < 0.5:
            steps += [_github("create_issue", repo, title="x"), _github("list_issues", repo)]
        return steps

    def _fix(self) -> "list[Step]":
        """One issue, looked at again and again; errors are watched until they are gone."""
        repo = self._repo()
        issue = _issue(repo, self._issues.one(self._chance))
        steps = [_mine(), issue, _github("list_commits", repo), _sentry("get_errors", repo)]
        for _ in range(self._some(1, 4)):
            steps += [self._search(repo), issue, _sentry("get_errors", repo)]
        if self._chance.random() < 0.7:
            steps += [_github("create_commit", repo, message="fix"), _github("list_commits", repo)]
        return [*steps, _sentry("get_errors", repo)]

    def _watch(self) -> "list[Step]":
        repo = self._repo()
        errors = [_sentry("get_errors", repo) for _ in range(self._some(2, 5))]
        return [_sentry("get_stats", repo), *errors, _github("list_commits", repo)]

    def _report(self) -> "list[Step]":
        repo = self._repo()
        words = ("list_commits", "list_issues", "get_repo_stats")
        steps = [_github(tool, repo) for tool in words]
        return [*steps, _sentry("get_stats", repo), _github("create_issue", repo, title="report")]

    def _search(self, repo: str) -> "Step":
        """Hardly ever the same one twice, and no rule keeps it."""
        return _github("search_code", repo, q=f"word{self._chance.randrange(10_000)}")

    def _repo(self) -> str:
        return f"repo{self._repositories.one(self._chance)}"

    def _some(self, least: int, most: int) -> int:
        return self._chance.randint(least, most)


Step = tuple[str, str, dict[str, Any]]
"""Server, tool, arguments."""


class Zipf:
    """Numbers from 1: the n-th is asked for in proportion to 1 / n^skew."""

    def __init__(self, count: int, skew: float) -> None:
        self._numbers = range(1, count + 1)
        self._weights = [*accumulate(number**-skew for number in self._numbers)]

    def one(self, chance: Random) -> int:
        return chance.choices(self._numbers, cum_weights=self._weights)[0]


def _github(tool: str, repo: str, **more: object) -> Step:
    return "github", tool, {"owner": OWNER, "repo": repo, **more}


def _sentry(tool: str, project: str) -> Step:
    return "sentry", tool, {"organization": OWNER, "project": project}


def _issue(repo: str, number: int) -> Step:
    return _github("get_issue", repo, issue_number=number)


def _mine() -> Step:
    return "github", "list_my_issues", {"state": "open"}
