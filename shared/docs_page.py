"""The documentation page: one static page made from the OpenAPI document, no script, no CDN."""

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from typing import Any

from shared import errors
from shared.openapi import Operation

_STYLE = files("shared").joinpath("docs_page.css").read_text(encoding="utf-8")
_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "minLength": "length at least",
    "maxLength": "length at most",
}
_FORMATS = {"ipvanyaddress": "IPv4 or IPv6 address"}
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
STYLE_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def render_page(title: str, document: dict[str, Any], operations: Iterable[Operation]) -> str:
    """Return the page: every operation by its tag, every model, every code with its anchor."""
    by_tag: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            by_tag.setdefault(described["tags"][0], []).append((method, path, described))
    index = "".join(_render_index_row(tag, described) for tag, described in by_tag.items())
    paths = "".join(
        f"<h3>{escape(tag.capitalize())}</h3>"
        + "".join(_render_operation(*operation) for operation in described)
        for tag, described in by_tag.items()
    )
    models = "".join(
        _render_model(name, schema) for name, schema in document["components"]["schemas"].items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>"
        '<p>The same as data: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>'
        f"{_render_security_schemes(document)}<nav><table>{index}</table></nav>"
        f"<h2>Operations</h2>{paths}<h2>Models</h2>{models}"
        f"<h2>Error codes</h2><table>{_render_error_codes(list(operations))}</table></body></html>"
    )


def _render_security_schemes(document: dict[str, Any]) -> str:
    schemes = document["components"].get("securitySchemes", {})
    return "".join(
        f"<p>Signed in by {escape(name)}: {_render_text(scheme['description'])}.</p>"
        for name, scheme in schemes.items()
    )


def _render_index_row(tag: str, described: list[tuple[str, str, dict[str, Any]]]) -> str:
    links = "<br>".join(
        f'<a href="#{escape(one["operationId"])}"><code>{method.upper()} {escape(path)}</code></a>'
        for method, path, one in described
    )
    return f"<tr><td>{escape(tag.capitalize())}</td><td>{links}</td></tr>"


def _render_operation(method: str, path: str, described: dict[str, Any]) -> str:
    body = described.get("requestBody", {}).get("content", {})
    takes = "".join(
        f"<p>Body: {_render_schema(c['schema'])} as {escape(t)}</p>" for t, c in body.items()
    )
    open_to_all = {} in described.get("security", [{}])
    signed_in = "" if open_to_all else "<p>Needs a signed-in user.</p>"
    given = "".join(
        _render_field(p["name"], p["schema"], p.get("required", False))
        for p in described.get("parameters", [])
    )
    takes += f"<table>{given}</table>" if given else ""
    answers = "".join(
        _render_response(status, one) for status, one in described["responses"].items()
    )
    return (
        f'<article id="{escape(described["operationId"])}">'
        f"<h4><code>{method.upper()} {escape(path)}</code></h4>"
        f"<p>{_render_text(described['summary'])}</p>{signed_in}{takes}<table>{answers}</table></article>"
    )


def _render_response(status: str, answer: dict[str, Any]) -> str:
    refusal = "application/problem+json" in answer.get("content", {})
    text = _render_text(answer["description"], linked=refusal)
    if schema := answer.get("content", {}).get("application/json", {}).get("schema"):
        text += f" ({_render_schema(schema)})"
    return f"<tr><td>{escape(status)}</td><td>{text}</td></tr>"


def _render_field(name: str, shape: dict[str, Any], required: bool) -> str:  # noqa: FBT001
    about = [_render_text(shape["description"])] if "description" in shape else []
    if shape.get("default") not in (None, ""):
        about.append(f"default <code>{escape(str(shape['default']))}</code>")
    return (
        f"<tr><td><code>{escape(name)}</code>{'' if required else ' (optional)'}</td>"
        f"<td>{_render_schema(shape)}</td><td>{'; '.join(about)}</td></tr>"
    )


def _render_text(text: str, *, linked: bool = False) -> str:
    """Render backticks as code; with `linked`, as a link to that error code."""
    parts = escape(text).split("`")
    shown = '<a href="#{0}"><code>{0}</code></a>' if linked else "<code>{0}</code>"
    return "".join(shown.format(part) if i % 2 else part for i, part in enumerate(parts))


def _render_schema(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "items" in schema:
        return f"list of {_render_schema(schema['items'])}"
    if "anyOf" in schema:
        return " or ".join(_render_schema(choice) for choice in schema["anyOf"])
    if values := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return " or ".join(f"<code>{escape(str(value))}</code>" for value in values)
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    shape = " ".join(str(schema[key]) for key in ("type", "format") if key in schema)
    bounds = [f"{word} {schema[key]}" for key, word in _BOUNDS.items() if key in schema]
    return escape(", ".join([shape, *bounds]))


def _render_model(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = "".join(
        _render_field(field, shape, field in required)
        for field, shape in schema.get("properties", {}).items()
    )
    about = _render_text(schema.get("description", "").partition("\n")[0])
    about += f" One of {_render_schema(schema)}." if "enum" in schema else ""
    return (
        f'<article id="{escape(name)}"><h4>{escape(name)}</h4><p>{about}</p>'
        f"<table>{rows}</table></article>"
    )


def _render_error_codes(operations: list[Operation]) -> str:
    common: list[type[errors.DomainError]] = [
        errors.MethodNotAllowed,
        errors.NotFound,
        errors.HeadersTooLarge,
        errors.InternalError,
    ]
    used: dict[str, dict[int, type[errors.DomainError]]] = {}
    for error in [*common, *(error for op in operations for error in op.possible_errors())]:
        used.setdefault(error.code, {}).setdefault(error.status, _defining_class(error))
    return "".join(
        f'<tr id="{code}"><td><code>{code}</code></td><td>{" or ".join(map(str, meanings))}</td>'
        "<td>"
        + "<br>".join(_render_text(_first_paragraph(error)) for error in meanings.values())
        + "</td></tr>"
        for code, meanings in sorted(used.items())
    )


def _defining_class(error: type[errors.DomainError]) -> type[errors.DomainError]:
    """Return the class that defines the code: `error` or one of its bases."""
    return next(base for base in error.__mro__ if "code" in vars(base))


def _first_paragraph(error: type[errors.DomainError]) -> str:
    """Return the first paragraph of the error's docstring, on one line."""
    paragraph, _, _ = (error.__doc__ or error.title).partition("\n\n")
    return " ".join(paragraph.split())
