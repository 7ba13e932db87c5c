"""`python -m auth_service templates preview`: every message and page, with sample values."""

import sys
from collections.abc import Iterator
from pathlib import Path

from auth_service.delivery.model import Delivery
from auth_service.delivery.samples import MESSAGE_SAMPLES, PAGE_SAMPLES, PARTS, SAMPLES_BY_FILE
from auth_service.delivery.sms_segments import measure_sms
from auth_service.delivery.template_check import load_templates
from auth_service.delivery.templates import Templates
from auth_service.settings.messages import MessageSettings


def preview(settings: MessageSettings, into: Path | None) -> int:
    """Print each text, or write all files to the directory `into`; return the exit status.

    Raises:
        TemplateProblemError: a template is broken.
    """
    for name, text in render_samples(load_templates(settings)):
        if into:
            path = into / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n", encoding="utf-8")
        elif not name.endswith(".html"):
            sys.stdout.write(f"--- {name}{_size(name, text)}\n{text}\n\n")
    return 0


def render_samples(templates: Templates) -> Iterator[tuple[str, str]]:
    """Yield the name and text of each part of each message and page, in each language."""
    for file in sorted(templates.files):
        locale, _, name = file.partition("/")
        if name not in SAMPLES_BY_FILE:
            continue
        message, _, part = name.partition(".")
        if part == "page.html":
            yield file, templates.render_page(message, [locale], **PAGE_SAMPLES[message])
            continue
        channel = next(one for one, parts in PARTS.items() if part in parts)
        parameters = dict(MESSAGE_SAMPLES[message])
        sent = templates.render(Delivery("", channel, "", message, parameters, ""), locale)
        texts = [sent.subject, sent.text, sent.html] if channel == "email" else [sent.text]
        yield file, texts[PARTS[channel].index(part)] or ""


def _size(name: str, text: str) -> str:
    if not name.endswith(".sms.txt"):
        return ""
    size = measure_sms(text)
    return f" ({size.encoding}, {size.length} characters, {size.segments} segment(s))"
