"""Rendering messages with sample values."""

from typing import Any

from auth_service.delivery.model import LANGUAGES, Delivery, Message
from auth_service.delivery.samples import MESSAGE_SAMPLES
from auth_service.delivery.template_check import load_templates
from auth_service.destination import Channel
from auth_service.settings.messages import MessageSettings

OURS = ("de", "en", "es", "hi")


def settings(**changes: Any) -> MessageSettings:
    return MessageSettings(**changes)


def render(
    template: str, channel: Channel, language: str, own: str | None = None, **changes: Any
) -> Message:
    parameters = {**MESSAGE_SAMPLES[template], LANGUAGES: language}
    delivery = Delivery("1", channel, "x", template, parameters, "r")
    return load_templates(settings(**changes)).render(delivery, own)
