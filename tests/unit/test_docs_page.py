"""The documentation page: complete, without script, and safe whatever a text holds."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from auth_service.app import interface
from media_service.app import INTERFACE as MEDIA
from shared.application import Interface
from shared.docs_page import STYLE_POLICY, render_page

AUTH = interface(development=True)
SERVICES = [AUTH, MEDIA]
HOSTILE = "<script>alert(1)</script>\"'&`x`<img src=x onerror=alert(1)>"
VOID = {"meta", "br"}


class Page(HTMLParser):
    """The page's elements, anchors, links and text; fails where a tag is not closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._open += [] if tag in VOID else [tag]
        for name, value in attrs:
            self.attributes.add(name)
            self.ids += [value or ""] if name == "id" else []
            self.links += [value or ""] if name == "href" else []

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(service: Interface) -> Page:
    return Page(render_page(service.title, service.document(), service.operations))


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.prefix)
def test_docs_page_explains_every_error_code(service: Interface) -> None:
    page = page_of(service)
    wanted = {error.code for found in service.operations for error in found.possible_errors()}
    anywhere = {"not_found", "method_not_allowed", "headers_too_large", "internal_error"}
    assert wanted | anywhere <= set(page.ids)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.prefix)
def test_docs_page_anchors_are_unique_and_links_resolve(service: Interface) -> None:
    page = page_of(service)
    assert sorted(page.ids) == sorted(set(page.ids))
    inner = {link for link in page.links if link.startswith("#")}
    assert inner
    assert inner <= {f"#{name}" for name in page.ids}
    assert set(page.links) - inner == {"openapi.json"}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.prefix)
def test_docs_page_shows_every_operation_and_model(service: Interface) -> None:
    page = page_of(service)
    for found in service.operations:
        assert f"{found.method} {service.prefix}{found.path}" in page.text
    assert set(service.document()["components"]["schemas"]) <= set(page.ids)


def test_docs_page_explains_sign_in_for_apps_and_browsers() -> None:
    page = page_of(MEDIA)
    assert "Signed in by bearer: Authorization: Bearer" in page.text
    assert "X-CSRF-Token" in page.text


def test_docs_page_shows_bounds_and_links_codes() -> None:
    page = page_of(MEDIA)
    assert "integer, at least 1, at most 200" in page.text
    assert "default 50" in page.text
    assert {"#list_creatives", "#image_too_large"} <= set(page.links)


def test_docs_page_lists_enumerated_values() -> None:
    assert "One of scheduled or published or failed or cancelled." in page_of(MEDIA).text
    assert "status (optional)cancelled or null" in page_of(MEDIA).text
    assert "IPv4 or IPv6 address" in page_of(AUTH).text


def test_docs_page_hides_empty_defaults() -> None:
    for service in SERVICES:
        shown = render_page(service.title, service.document(), service.operations)
        assert "default <code></code>" not in shown


def rows(service: Interface) -> dict[str, str]:
    shown = render_page(service.title, service.document(), service.operations)
    return dict(re.findall(r'<tr id="(\w+)">(.*?)</tr>', shown))


def test_docs_page_code_shows_every_status_and_general_meaning() -> None:
    assert "401 or 403" in rows(AUTH)["invalid_credentials"]
    assert "<br>" in rows(AUTH)["invalid_credentials"]
    assert rows(AUTH)["conflict"] == rows(MEDIA)["conflict"]
    assert "409" in rows(AUTH)["conflict"]


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.prefix)
def test_docs_page_describes_every_parameter(service: Interface) -> None:
    unsaid = {
        one["name"]
        for methods in service.document()["paths"].values()
        for described in methods.values()
        for one in described.get("parameters", [])
        if one["in"] != "path" and "description" not in one["schema"]
    }
    assert unsaid <= {"limit", "cursor", "owner", "variant", "status", "user_id", "event"}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.prefix)
def test_docs_page_has_no_scripts_or_external_content(service: Interface) -> None:
    page = page_of(service)
    assert not {"script", "img", "link", "iframe", "object", "form"} & set(page.tags)
    assert not [name for name in page.attributes if name.startswith("on") or name == "style"]


def test_docs_page_policy_allows_its_own_style_alone() -> None:
    text = render_page("T", {"paths": {}, "components": {"schemas": {}}}, [])
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    allowed = [part.strip().split(" ", 1) for part in STYLE_POLICY.split(";")]
    assert ["style-src", f"'sha256-{digest}'"] in allowed
    assert ["default-src", "'none'"] in allowed
    assert {source for name, source in allowed if name != "style-src"} == {"'none'"}


def hostile_document() -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{HOSTILE}"}
    field = {
        "description": HOSTILE,
        "anyOf": [reference, {"type": "array", "items": reference}, {"enum": [HOSTILE]}],
    }
    answer = {"description": HOSTILE, "content": {"application/json": {"schema": reference}}}
    operation = {
        "tags": [HOSTILE],
        "operationId": HOSTILE,
        "summary": HOSTILE,
        "responses": {"200": answer},
        "parameters": [{"name": HOSTILE, "schema": {"default": HOSTILE}}],
        "requestBody": {"content": {HOSTILE: {"schema": {"type": HOSTILE}}}},
        "security": [],
    }
    model = {"description": HOSTILE, "properties": {HOSTILE: field}}
    return {
        "paths": {f"/{HOSTILE}": {"get": operation}},
        "components": {"schemas": {HOSTILE: model}},
    }


def test_docs_page_hostile_text_stays_text() -> None:
    calm = Page(render_page("T", hostile_document_of("calm"), []))
    page = Page(render_page(HOSTILE, hostile_document(), []))
    assert set(page.tags) == set(calm.tags)
    assert page.attributes == calm.attributes
    assert page.text.count("<script>alert(1)</script>") >= 10


def hostile_document_of(text: str) -> Any:
    """The same document with a harmless text in the place of every hostile one."""

    def replaced(value: Any) -> Any:
        if isinstance(value, dict):
            return {replaced(name): replaced(item) for name, item in value.items()}
        if isinstance(value, list):
            return [replaced(item) for item in value]
        return value.replace(HOSTILE, f"`{text}`") if isinstance(value, str) else value

    return replaced(hostile_document())
