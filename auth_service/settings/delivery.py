"""Settings of delivery: where messages go, and which providers send them."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_settings import NoDecode

from auth_service.language import TAG
from auth_service.settings.regions import ANY_COUNTRY, require_regions
from shared.settings import ServiceSettings, Words, split_list

_TEMPLATE_ID = re.compile(rf"(?P<template>[a-z_]+):(?P<language>{TAG})=(?P<id>[A-Za-z0-9_.-]+)")


def _require_template_ids(words: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_TEMPLATE_ID.fullmatch(word) for word in words):
        raise ValueError("expected template:language=id, as code:en=1107160000000000001")
    return words


TemplateIds = Annotated[Words, AfterValidator(_require_template_ids)]


def ids_by_template(words: Iterable[str]) -> dict[tuple[str, str], str]:
    """Return the ids of a setting by template and language, the language in lower case."""
    found = [one for word in words if (one := _TEMPLATE_ID.fullmatch(word))]
    return {(one["template"], one["language"].lower()): one["id"] for one in found}


class DeliverySettings(ServiceSettings):
    """The settings of all deliveries; each provider has settings of its own."""

    sms_countries: Annotated[Words, AfterValidator(require_regions)] = Field(
        (),
        description="regions that codes are sent to, comma-separated; `*` for all "
        "(the default in development; required in production)",
    )
    delivery_worker: bool = Field(
        True,
        description="whether `serve` also sends; else `python -m auth_service worker` does",
    )
    sms_providers: Annotated[
        tuple[Literal["console", "twilio", "webhook"], ...], NoDecode, BeforeValidator(split_list)
    ] = Field(
        (),
        description="ordered list of `twilio`, `webhook` (`console` in development, its default)",
    )
    sms_sender: str = Field(
        "", description="`sender` for the webhook provider, such as your header registered for DLT"
    )
    sms_template_ids: TemplateIds = Field(
        (),
        description="comma-separated `template:language=id`: ids of registered templates (India's "
        "DLT), for the webhook provider",
    )
    email_providers: Annotated[
        tuple[Literal["console", "smtp", "smtp2"], ...], NoDecode, BeforeValidator(split_list)
    ] = Field(
        (), description="ordered list of `smtp`, `smtp2` (`console` in development, its default)"
    )

    @model_validator(mode="before")
    @classmethod
    def _development_defaults(cls, values: dict[str, Any]) -> dict[str, Any]:
        if values.get("env") != "development":
            return values
        providers = {"sms_providers": "console", "email_providers": "console"}
        return {"sms_countries": ANY_COUNTRY, **providers, **values}

    def delivery_problems(self) -> list[str]:
        """Return a line for each fault in the choice of countries and providers."""
        problems = []
        if not self.sms_countries:
            problems.append("SMS_COUNTRIES: required in production")
        if not self.sms_providers:
            problems.append("SMS_PROVIDERS: required in production")
        if self.production and "console" in (*self.sms_providers, *self.email_providers):
            problems.append("SMS_PROVIDERS, EMAIL_PROVIDERS: console exists only in development")
        for name, chosen in (("SMS", self.sms_providers), ("EMAIL", self.email_providers)):
            if len(set(chosen)) < len(chosen):
                problems.append(f"{name}_PROVIDERS: names a provider twice")
        return problems
