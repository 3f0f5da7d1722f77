"""What is wrong with a configuration, in words a person can act on."""

import msgspec

# A broken file can hold thousands of the same mistake; nobody reads past the first page.
_SHOWN = 50


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One mistake or warning. Never carries a secret's value.

    `line` counts from 1 (None: the file as a whole); `path` is where it sits, such as
    `mcpServers.github.cache.ttl`.
    """

    file: str
    line: int | None
    path: str
    message: str
    fix: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        what = f"{self.path}: {self.message}" if self.path else self.message
        return f"{where}: {what}\n    fix: {self.fix}" if self.fix else f"{where}: {what}"


class ConfigError(Exception):
    """The file cannot be used. `problems` has every mistake that could be found at once."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            lines.append(f"... and {len(self.problems) - _SHOWN} more")
        return "\n".join(lines)


class FaultError(ValueError):
    """A value that cannot be, with what to do about it. Readers of values raise it."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
