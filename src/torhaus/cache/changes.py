"""What other rules make of kept answers."""

from torhaus.model.caching import Selector
from torhaus.model.rules import Rules


def outdated(old: Rules, new: Rules) -> tuple[Selector, ...]:
    """What to forget when rules change.

    Every hit is decided anew, so that nobody sees what he may no longer see; this is for answers
    that would be fetched otherwise now: with another credential, for other people, by another rule.
    """
    if old.policy_version != new.policy_version:
        return tuple(Selector(tag=name) for name in old.servers)
    found = []
    for name, before in old.servers.items():
        now = new.servers.get(name)
        if now is None or (
            (before.credential, before.environment, before.caching)
            != (now.credential, now.environment, now.caching)
        ):
            found.append(Selector(tag=name))
    return tuple(found)
