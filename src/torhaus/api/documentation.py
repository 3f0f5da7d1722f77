"""`/api/docs`: the API in words, from its own description. Loads nothing, runs nothing."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6470; --line: #d9dee4;
  --paper: #fbfbfa; --mark: #e8eef7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #9aa4b0; --line: #2c333b;
  --paper: #14171a; --mark: #1e2733; } }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 3rem 1.25rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .25rem; }
code { background: var(--mark); padding: .1rem .3rem; border-radius: .25rem; }
p, dd { color: var(--soft); margin: .25rem 0; } dt { margin-top: .5rem; }
section { border-top: 1px solid var(--line); }
"""


def page(schema: Mapping[str, Any]) -> str:
    """HTML for an OpenAPI 3.1 document."""
    parts = "".join(_operations(schema))
    info = schema["info"]
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(info['title'])}</title>\n<style>{STYLE}</style>\n<main>\n"
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>\n"
        f"<p>{escape(info.get('description', ''))}</p>\n"
        '<p>For programs: <a href="/api/v1/openapi.json">openapi.json</a></p>\n'
        f"{parts}</main>\n</html>\n"
    )


def _operations(schema: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield (
                f"<section><h2><code>{method.upper()} {escape(path)}</code></h2>\n"
                f"<p>{escape(operation.get('description', ''))}</p>\n"
                f"{_fields('Parameters', _parameters(operation))}"
                f"{_fields('Body, in JSON', _body(schema, operation))}"
                f"{_fields('Answer', _answer(schema, operation))}</section>\n"
            )


def _parameters(operation: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (each["name"], _described(each.get("schema", {}), each.get("description", "")))
        for each in operation.get("parameters", ())
    ]


def _body(schema: Mapping[str, Any], operation: Mapping[str, Any]) -> list[tuple[str, str]]:
    content = operation.get("requestBody", {}).get("content", {})
    return _properties(schema, content.get("application/json", {}).get("schema", {}))


def _answer(schema: Mapping[str, Any], operation: Mapping[str, Any]) -> list[tuple[str, str]]:
    good = next(each for code, each in operation["responses"].items() if code.startswith("2"))
    content = good.get("content", {}).get("application/json", {}).get("schema", {})
    return _properties(schema, content.get("items", content))


def _properties(schema: Mapping[str, Any], shape: Mapping[str, Any]) -> list[tuple[str, str]]:
    name = str(shape.get("$ref", "")).rpartition("/")[2]
    found = schema.get("components", {}).get("schemas", {}).get(name, {}).get("properties", {})
    return [
        (field, _described(about, about.get("description", ""))) for field, about in found.items()
    ]


def _described(about: Mapping[str, Any], text: str) -> str:
    kinds = [each.get("type", "") for each in about.get("anyOf", (about,))]
    kind = " or ".join(each for each in kinds if each)
    return f"{kind}. {text}" if kind and text else kind or text


def _fields(title: str, fields: list[tuple[str, str]]) -> str:
    if not fields:
        return ""
    rows = "".join(
        f"<dt><code>{escape(name)}</code></dt><dd>{escape(text)}</dd>" for name, text in fields
    )
    return f"<p>{title}</p><dl>{rows}</dl>\n"
