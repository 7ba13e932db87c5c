"""What Twilio tells us about messages later: only the funnel's metrics hear of it."""

from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict

from auth_service.resources import DELIVERY_METRICS, SETTINGS
from shared.errors import Forbidden, UnsupportedMediaType
from shared.openapi import Routes
from shared.validation import validate

routes = Routes("callbacks")
PATH = "/callbacks/twilio"
STAGES = {"delivered": "delivered", "undelivered": "undelivered", "failed": "undelivered"}


class TwilioStatus(BaseModel):
    """A message's new status; what else Twilio sends is passed over."""

    model_config = ConfigDict(extra="ignore")

    MessageStatus: str
    To: str


@routes.add(
    "POST",
    PATH,
    summary="Twilio's status callbacks; their signature is checked",
    body=TwilioStatus,
    body_type="application/x-www-form-urlencoded",
    answers={204: None},
    errors=(Forbidden,),
    auth=False,
)
async def take_status(request: web.Request) -> web.Response:
    """Count what became of a message."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise UnsupportedMediaType
    form = {name: str(value) for name, value in (await request.post()).items()}
    _check_signature(request, form)
    status = validate(TwilioStatus, form)
    if stage := STAGES.get(status.MessageStatus):
        request.app[DELIVERY_METRICS].count(stage, "sms", status.To)
    return web.Response(status=204)


def _check_signature(request: web.Request, form: dict[str, Any]) -> None:
    settings = request.app[SETTINGS]
    secret = settings.twilio_auth_token.get_secret_value()
    if "twilio" not in settings.sms_providers or not secret:
        raise Forbidden
    # Imported when configured: see the provider.
    from twilio.request_validator import RequestValidator  # noqa: PLC0415

    url = settings.public_url.rstrip("/") + request.path
    signature = request.headers.get("X-Twilio-Signature", "")
    if not RequestValidator(secret).validate(url, form, signature):
        raise Forbidden
