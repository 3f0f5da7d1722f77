"""What comes of a try to sign in, for the page that shows it."""

import msgspec

from torhaus.model.texts import marked


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """Whose browser it is. `browser`: digest of the cookie it had before it signed in.

    `device`: what it keeps of sign-ins before, see `Devices`.
    """

    ip: str = ""
    agent: str = ""
    browser: bytes = b""
    device: str = ""


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """He is in. `cookie`: the secret of the session, for the browser alone.

    `codes`: recovery codes that were made, shown once. `device`: what the browser keeps of having
    signed in with what was typed; empty where it came from an identity provider.
    """

    cookie: str
    next: str = ""
    codes: tuple[str, ...] = ()
    device: str = ""


class CodeNeeded(msgspec.Struct, frozen=True, kw_only=True):
    """The password was right; `token` goes on with a code."""

    token: str


class FactorNeeded(msgspec.Struct, frozen=True, kw_only=True):
    """The password was right, and a second factor has to be set up before he is in.

    `secret`: for the app; it is not kept until a code of it was typed.
    """

    token: str
    email: str
    secret: bytes


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """He is not in. `text`: a sentence. `wait`: seconds until the next try is looked at."""

    status: int
    text: str
    wait: float = 0.0


Outcome = Opened | CodeNeeded | FactorNeeded | Closed

WRONG = marked("The address or the password is wrong.")
"""Which of the two, a stranger is not told."""
WRONG_CODE = marked("The code is wrong, or too old. Type the one that the app shows now.")
UNREADABLE = marked(
    "This gateway cannot read your second factor. Use a recovery code, or tell an administrator."
)
"""It has another `seal.key` than the gateway where it was set up."""
WRONG_PASSWORD = marked("The password is wrong.")
WAIT = marked("Too many tries have failed. Wait a moment, and try again.")
DOWN = marked("The gateway cannot reach its database now. Try again later.")
OTHER = marked("This is another account than the one you are signed in with here.")
LOST = marked("This sign-in took too long, or began in another browser. Begin again.")
