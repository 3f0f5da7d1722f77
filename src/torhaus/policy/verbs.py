"""What a tool's name says it does, for tools that no table knows.

Never sure, so it errs one way: a name that only might write is taken for a writer, and a name
without a known verb for nothing at all. Against the shipped tables: tests/torhaus/policy.
"""

from functools import lru_cache

from torhaus.policy.names import words
from torhaus.policy.tables import TYPES


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_READ = _set(
    "get list read search find fetch show view describe count lookup retrieve whoami browse "
    "preview inspect compare explain summarize status diff stat info ls cat head tail grep"
)
# Verbs that ask and are no nouns: after them comes what is asked for, whatever it is called.
_ASKS = _set("get find fetch describe retrieve show lookup")
# Verbs that may open or close a name, but are nouns as well: `list_label`, `issue_read`.
_OPENS = _set("list read search view count")
_CLOSES = _OPENS | _ASKS

_DELETE = (
    "delete remove destroy drop purge erase wipe truncate clear unlink uninstall del rm rmdir "
    "cleanup prune discard trash empty flush reset"
)
_ADMIN = "grant revoke invite impersonate transfer permit authorize ban unban protect unprotect"
_EXECUTE = (
    "execute exec eval evaluate invoke trigger rerun run deploy dispatch launch start stop "
    "restart reboot shutdown kill terminate cancel abort build navigate click shell call sql "
    "query analyze analyse simulate schedule install connect disconnect script command "
    "screenshot hover drag fill press scroll goto open spawn retry resume pause play select"
)
_WRITE = (
    "create update write insert set put patch add append edit modify change replace upsert save "
    "store upload import send post publish push merge commit move copy rename assign unassign "
    "close reopen archive unarchive restore undelete revert rollback rebase checkout stage "
    "approve reject dismiss submit resolve unresolve mark lock unlock pin unpin enable disable "
    "toggle register unregister subscribe unsubscribe watch unwatch follow unfollow star unstar "
    "fork clone branch tag label comment reply react vote request review manage sync link attach "
    "detach convert transform apply complete increment decrement adjust configure setup init "
    "initialize generate draft share unshare reprioritize prioritize reorder swap split join "
    "leave accept decline confirm make new upgrade downgrade bump migrate provision mute unmute "
    "block unblock report notify email pull sign charge refund pay transfer order buy "
    "book reserve ignore snooze escalate acknowledge ack cherry squash amend mutate overwrite "
    "promote transition unapprove rotate regenerate refresh invalidate hide unhide flag unflag "
    "fix format track untrack login "
    "logout log record note annotate build job"
)
_DOES = {
    **dict.fromkeys(_WRITE.split(), "write"),
    **dict.fromkeys(_EXECUTE.split(), "execute"),
    **dict.fromkeys(_ADMIN.split(), "admin"),
    **dict.fromkeys(_DELETE.split(), "delete"),
}
# Things that are verbs too: `list_label`, `branch_read`.
_THINGS = _set(
    "commit branch tag label comment review release build order report email job request run "
    "script log link"
)
# Verbs that are things only where something is asked for: `get_build_status`, `find_share`.
_NOUNS = _THINGS | _set(
    "star fork merge stage block flag format command call schedule query sql pull post copy "
    "change draft share vote reply book charge refund lock pin watch import patch sync track start "
    "open new archive shell install clone press fix screenshot stop invite transfer store record "
    "note play select transition"
)
# Whatever begins so drives a browser, or looks at where somebody else drove it.
_DRIVES = _set("browser puppeteer")
_LIGHTER = _set("read write unknown")
_JOINS = frozenset({"and", "or", "then"})
_GRAVEST_FIRST = ("delete", "admin", "execute", "write")


@lru_cache(maxsize=4096)
def guess(server: str, tool: str) -> tuple[str, str]:
    """(action, type) of a tool by its name; action `unknown` and type `` when it does not say.

    `server` may lead the name (`jira_get_issue`). Callers choose the names, so the memory of
    answers is bounded, and names over the protocol's 128 characters are not read at all.
    """
    parts = words(tool)
    drives = parts[:1] and parts[0] in _DRIVES
    lead = words(server)
    if len(parts) > len(lead) and parts[: len(lead)] == lead:
        parts = parts[len(lead) :]
    parts = _compound(parts)
    action = _action(parts)
    return "execute" if drives and action in _LIGHTER else action, _type(parts)


def _compound(parts: tuple[str, ...]) -> tuple[str, ...]:
    """`pull request` is one thing, not two verbs."""
    text = " ".join(parts)
    for pair in ("pull request", "merge request"):
        text = text.replace(pair, pair.replace(" ", "-"))
    return tuple(text.split())


def _action(parts: tuple[str, ...]) -> str:
    if not parts:
        return "unknown"
    doing = {_DOES[word] for at, word in enumerate(parts) if _acts(parts, at)}
    if parts[0] in _DOES and _JOINS.isdisjoint(parts):
        return _DOES[parts[0]]
    if doing:
        return next(action for action in _GRAVEST_FIRST if action in doing)
    if parts[0] in _READ:
        return "read"
    # A word nobody knows leads: `issue_read`, `jira_get_issue`; but not `frobnicate_and_get`.
    reads = parts[-1] in _CLOSES or not _ASKS.isdisjoint(parts[:2])
    return "read" if reads and _JOINS.isdisjoint(parts) else "unknown"


def _acts(parts: tuple[str, ...], at: int) -> bool:
    """Whether the word there is a verb that changes something, not the name of a thing."""
    word, before = parts[at], parts[:at]
    if word not in _DOES:
        return False
    if not before or before[-1] in _JOINS:
        return True
    if word in _THINGS and (before[0] in _OPENS or parts[-1] in _CLOSES):
        return False
    return word not in _NOUNS or _ASKS.isdisjoint(before)


def _type(parts: tuple[str, ...]) -> str:
    """The type, only where the rest of the name is exactly one: `archive_issue` -> issues."""
    if len(parts) < 2:
        return ""
    rest = "_".join(parts[1:]).replace("-", "_")
    return next((kind for kind in (rest, f"{rest}s") if kind in TYPES), "")
