"""What the schedule's route takes and answers."""

from pydantic import BaseModel, ConfigDict, Field

from media_service.creative.schemas import CreativeAnswer, TimezoneName
from media_service.creative.timezones import DEFAULT_TIMEZONE


class ScheduleQuery(BaseModel):
    """In whose zone today is today."""

    model_config = ConfigDict(extra="forbid")

    timezone: TimezoneName = Field(DEFAULT_TIMEZONE, description="an IANA zone name")


class ScheduledCreatives(BaseModel):
    """Creatives by day, each day's by due time."""

    today: list[CreativeAnswer]
    tomorrow: list[CreativeAnswer]


class ScheduleAnswer(BaseModel):
    """What falls due today and tomorrow, scheduled or published."""

    scheduled_creatives: ScheduledCreatives
