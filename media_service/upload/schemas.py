"""The fields of an upload's form."""

from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from media_service.creative.due import parse_when
from media_service.creative.schemas import Title
from media_service.creative.zone import DEFAULT_ZONE


def _when(text: str) -> str:
    if parse_when(text) is None:
        message = "expected YYYY-MM-DD or an RFC 3339 time with offset"
        raise ValueError(message)
    return text


def _blank_is_default(value: object) -> object:
    return value or DEFAULT_ZONE


class UploadForm(BaseModel):
    """A picture and when it is to go out; the parts come in any order."""

    model_config = ConfigDict(extra="forbid")

    file: Annotated[
        str,
        WithJsonSchema({"type": "string", "format": "binary"}),
        Field(description="the image; its name is only shown, its declared type is not looked at"),
    ]
    scheduled_at: Annotated[
        str,
        StringConstraints(max_length=40),
        AfterValidator(_when),
        Field(description="a day in `timezone`, or an RFC 3339 time with offset"),
    ]
    timezone: Annotated[
        str, BeforeValidator(_blank_is_default), Field(max_length=64, description="IANA zone name")
    ] = DEFAULT_ZONE
    title: Title = None
