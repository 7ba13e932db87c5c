"""Twilio's status callbacks, which only count in metrics."""

from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from auth_service.delivery.metrics import DeliveryMetrics
from auth_service.resources import SETTINGS
from shared.errors import Forbidden
from shared.openapi import Routes
from shared.request import FORM, read_form

routes = Routes("callbacks")
DELIVERY_METRICS = web.AppKey("delivery_metrics", DeliveryMetrics)
PATH = "/callbacks/twilio"
SIGNATURE = "X-Twilio-Signature"
STAGES = {"delivered": "delivered", "undelivered": "undelivered", "failed": "undelivered"}


class TwilioStatus(BaseModel):
    """A message's new status; other fields are part of the signature."""

    model_config = ConfigDict(extra="allow")

    MessageStatus: str
    To: str


@routes.add(
    "POST",
    PATH,
    summary="Twilio's status callbacks; their signature is checked",
    body=TwilioStatus,
    body_type=FORM,
    answers={204: None},
    errors=(Forbidden,),
    auth=False,
)
async def receive_status(request: web.Request) -> web.Response:
    """Count the message's new stage."""
    secret = _require_twilio(request)
    status = await read_form(request, TwilioStatus)
    _require_signature(request, secret, status.model_dump())
    if stage := STAGES.get(status.MessageStatus):
        request.app[DELIVERY_METRICS].count(stage, "sms", status.To)
    return web.Response(status=204)


def _require_twilio(request: web.Request) -> str:
    """Return the key of callback signatures; without one the body is not read."""
    settings = request.app[SETTINGS]
    secret = settings.twilio_auth_token.get_secret_value()
    signed = request.headers.get(SIGNATURE)
    if "twilio" not in settings.sms_providers or not secret or not signed:
        raise Forbidden
    return secret


def _require_signature(request: web.Request, secret: str, form: dict[str, Any]) -> None:
    # Imported when configured: see the provider.
    from twilio.request_validator import RequestValidator  # noqa: PLC0415

    url = request.app[SETTINGS].public_url.rstrip("/") + request.path
    if not RequestValidator(secret).validate(url, form, request.headers[SIGNATURE]):
        raise Forbidden
