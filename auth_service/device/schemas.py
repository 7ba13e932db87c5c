"""Fields of requests for limits: a device token and a proof of work."""

from pydantic import BaseModel, ConfigDict, Field

from auth_service.rate_limit.proof_of_work import MAX_SOLUTION

MAX_DEVICE_TOKEN = 200


class DeviceBody(BaseModel):
    """Base of bodies that request a code, carry one, or carry a password."""

    model_config = ConfigDict(extra="forbid", strict=True)

    device: str | None = Field(
        None,
        max_length=MAX_DEVICE_TOKEN,
        description="the device token of an earlier sign-in: a known device has limits of its own",
    )


class SendBody(DeviceBody):
    """Base of bodies that request a code."""

    altcha: str | None = Field(
        None,
        max_length=MAX_SOLUTION,
        description="solution of the challenge in a 403 `proof_required`, by a library of ALTCHA: "
        "base64 of challenge and solution",
    )
