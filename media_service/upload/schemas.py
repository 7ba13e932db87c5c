"""The fields of an upload's form."""

from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)

from media_service.creative.schedule_time import parse_schedule_time
from media_service.creative.schemas import TimezoneName, Title, When
from media_service.creative.timezones import DEFAULT_TIMEZONE
from media_service.upload.model import FILE_FIELD, Draft


def _blank_is_default(value: object) -> object:
    return value or DEFAULT_TIMEZONE


class UploadForm(BaseModel):
    """A picture and when it is to go out; the parts come in any order."""

    model_config = ConfigDict(extra="forbid")

    file: Annotated[
        str,
        WithJsonSchema({"type": "string", "format": "binary"}),
        Field(description="the image; its name is only shown, its declared type is not looked at"),
    ]
    scheduled_at: Annotated[
        When,
        Field(description="a day in `timezone`, or an RFC 3339 time with offset"),
    ]
    timezone: Annotated[TimezoneName, BeforeValidator(_blank_is_default)] = DEFAULT_TIMEZONE
    title: Title = None

    def draft(self) -> Draft:
        """Return what the form describes."""
        return Draft(
            file_name=self.file,
            title=self.title,
            when=parse_schedule_time(self.scheduled_at),
            timezone=self.timezone,
            fields=self.model_dump(exclude={FILE_FIELD}),
        )
