"""Ids under which templates are registered elsewhere, such as with India's DLT."""

from collections.abc import Iterable

from auth_service.delivery.errors import TemplateProblemError
from auth_service.delivery.model import Message
from auth_service.delivery.templates import Templates
from auth_service.settings.delivery import ids_by_template
from auth_service.settings.twilio import TwilioSettings


def find_id(ids: Iterable[str], message: Message) -> str | None:
    """Return the id in a setting of the message's template in its language."""
    return ids_by_template(ids).get((message.template, message.locale.lower()))


def check_template_ids(templates: Templates, settings: TwilioSettings) -> None:
    """Return if each registered id belongs to a text message that we have.

    Raises:
        TemplateProblemError: it belongs to another template or language.
    """
    ids = {
        "SMS_TEMPLATE_IDS": ids_by_template(settings.sms_template_ids),
        "TWILIO_CONTENT_SIDS": ids_by_template(settings.twilio_content_sids),
    }
    problems = [
        f"{name}: there is no template {language}/{template}.sms.txt"
        for name, found in ids.items()
        for template, language in found
        if language not in templates.languages(f"{template}.sms.txt")
    ]
    if problems:
        raise TemplateProblemError("\n".join(problems))
