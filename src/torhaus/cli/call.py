"""`torhaus call`: one tool call through a running gateway, as any client would make it."""

import json as text_json
import sys
from typing import Annotated, Any

import typer

from torhaus.cli.api import LOCAL, Key, Url
from torhaus.cli.client import Client, GatewayError
from torhaus.cli.output import NO, complain, misused, printable, refuse, say, say_json
from torhaus.cli.reading import AsJson


def call(
    server: str,
    tool: str,
    *,
    args: Annotated[
        str, typer.Option(metavar="JSON|-", help="The arguments, an object; - reads them.")
    ] = "{}",
    url: Url = LOCAL,
    key: Key = None,
    json: AsJson = False,
) -> None:
    """Make one tool call through a running gateway.

    The answer goes to standard output. A refusal or an error of the tool goes to standard error,
    and the exit code is 1.
    """
    arguments = _arguments(sys.stdin.read() if args == "-" else args)
    try:
        with Client(url, server, key or None) as client:
            result = client.call(tool, arguments)
    except GatewayError as error:
        refuse(str(error))
    failed = result.get("isError") is True
    if json:
        say_json(result)
    if failed:
        complain(printable(words(result)))
        raise typer.Exit(NO)
    if not json:
        say(printable(words(result)))


def _arguments(text: str) -> dict[str, Any]:
    try:
        arguments = text_json.loads(text)
    except (ValueError, RecursionError) as error:
        misused(f"--args is not JSON: {error}")
    if not isinstance(arguments, dict):
        misused('--args must be an object, such as {"repo": "myorg/myrepo"}')
    return arguments


def words(result: dict[str, Any]) -> str:
    """A result as text: its text blocks, a note for every other one, or its structured content."""
    content = result.get("content")
    blocks = [_block(each) for each in content] if isinstance(content, list) else []
    if not blocks and "structuredContent" in result:
        return text_json.dumps(result["structuredContent"], ensure_ascii=False, indent=2)
    return "\n".join(blocks) or "(an empty answer)"


def _block(block: Any) -> str:
    if not isinstance(block, dict):
        return "(not a content block)"
    text = block.get("text")
    if block.get("type") == "text" and isinstance(text, str):
        return text
    resource = block.get("resource")
    inner = resource if isinstance(resource, dict) else block
    if isinstance(inner.get("text"), str):
        return str(inner["text"])
    about = (inner.get("mimeType"), inner.get("uri"), inner.get("name"))
    return f"({' '.join(str(each) for each in (block.get('type'), *about) if each)})"
