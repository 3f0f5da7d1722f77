"""`torhaus users reset-link`: a new password for somebody who has lost his."""

from typing import Annotated

import typer

from torhaus.cli.api import LOCAL, Key, Url, asked
from torhaus.cli.output import printable, say, say_json
from torhaus.cli.reading import AsJson


def reset_link(
    *,
    email: Annotated[str, typer.Argument(help="Whose password.")],
    second_factor: Annotated[
        bool, typer.Option("--second-factor", help="Take the second factor away too.")
    ] = False,
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """A link at which somebody sets a new password: good once, for a day."""
    body = {"email": email, "second_factor": second_factor}
    found = asked(lambda at: at.post("reset-links", body=body), url, key)
    if json:
        say_json(found)
        return
    say(f"{printable(email)} sets a new password here, once, within a day:")
    say(f"  {printable(found['url'])}", "cyan")
