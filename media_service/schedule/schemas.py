"""The request and the response of the schedule's route."""

from pydantic import BaseModel, ConfigDict, Field

from media_service.creative.schemas import CreativeResponse, TimezoneName
from media_service.creative.timezones import DEFAULT_TIMEZONE


class ScheduleQuery(BaseModel):
    """The zone whose days are meant."""

    model_config = ConfigDict(extra="forbid")

    timezone: TimezoneName = Field(DEFAULT_TIMEZONE, description="an IANA zone name")


class ScheduledCreatives(BaseModel):
    """Creatives by day, each day's by due time."""

    today: list[CreativeResponse]
    tomorrow: list[CreativeResponse]


class ScheduleResponse(BaseModel):
    """Creatives that fall due today and tomorrow, scheduled or published."""

    scheduled_creatives: ScheduledCreatives
