"""A large team's file: what it compiles to is shared, and compiled in time."""

import random
import time

from torhaus.config import compile as compiled
from torhaus.config.source import read
from torhaus.config.tree import Source
from torhaus.config.validate import validate

USERS, ROLES, BLOCKS = 5000, 200, 500
SERVERS = ("github", "sentry", "gitlab", "slack", "jira", "firebase", "postgres", "files")
# On the machine the target is for it takes 150 ms; others may be slower, and busy.
LIMIT = 0.6


def large() -> str:
    chance = random.Random(1)
    out = ["mcpServers:"]
    out += [f"  {name}: {{url: 'https://{name}.example.com/mcp'}}" for name in SERVERS]
    out.append("roles:")
    for n in range(ROLES):
        held = ", ".join(f"{name}:read" for name in chance.sample(SERVERS, 4))
        bound = f", only_repos: ['team{n}/*']" if n % 5 == 0 else ""
        out.append(f"  role-{n}:\n    permissions: [{held}, 'github:issues:write']")
        out.append(f"    restrictions: [no_delete{bound}]")
    out.append("users:")
    out += [
        f"  - email: user{n}@example.com\n    role: role-{chance.randrange(ROLES)}"
        for n in range(USERS)
    ]
    out.append("github:")
    out += [
        f"  user{n}@example.com:\n    allow: [read:repos, write:issues]\n    deny: ['delete:*']\n"
        f"    repos: {{allow: ['org{n}/*'], deny: ['org{n}/secret']}}"
        for n in range(BLOCKS)
    ]
    out.append("policies:")
    out += [
        f"  - name: hours of {n}\n    applies_to: {{role: role-{n}}}\n"
        "    time: {weekdays: true, hours: 08:00-18:00}\n    action: deny_outside_hours"
        for n in range(20)
    ]
    return "\n".join(out)


def test_a_large_file_compiles_in_time_to_accesses_that_are_shared() -> None:
    source = read(large(), "large.yml")
    file = validate(source)
    assert file is not None
    spent = []
    for _ in range(3):
        fresh = Source(source.name, source.text, source.root)
        start = time.process_time()
        rules = compiled.blueprint(fresh, file, {}, 0).rules()
        spent.append(time.process_time() - start)

    assert len(rules.principals) == USERS
    phases = [phase for who in rules.principals.values() for phase in who.phases]
    assert len({id(phase.access) for phase in phases}) <= ROLES + BLOCKS
    assert len({id(each) for phase in phases for each in phase.access.values()}) < 2500
    assert min(spent) < LIMIT, spent
