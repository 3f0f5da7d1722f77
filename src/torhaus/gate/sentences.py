"""A sentence in the place of an answer: a tool's result, which the model reads, else an error."""

from collections.abc import Mapping

from torhaus.mcp.message import encode, error_object
from torhaus.model.outcome import Answer
from torhaus.model.servers import Era


def sentence(
    method: str,
    era: Era,
    code: int,
    text: str,
    about: tuple[str, Mapping[str, object]] | None = None,
) -> Answer:
    """To a caller of `method`. `about`: the same for programs.

    It stands under its key in a result's `_meta`, or is an error's data.
    """
    if method != "tools/call":
        data = None if about is None else encode(about[1])
        return Answer(error=error_object(code, text, data))
    result: dict[str, object] = {"content": [{"type": "text", "text": text}], "isError": True}
    if era is Era.MODERN:
        result["resultType"] = "complete"
    if about is not None:
        result["_meta"] = dict([about])
    return Answer(result=encode(result))
