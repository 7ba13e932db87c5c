"""What the schedule's route takes and answers."""

from pydantic import BaseModel, ConfigDict, Field

from media_service.creative.schemas import CreativeAnswer, ZoneName
from media_service.creative.timezones import DEFAULT_ZONE


class ScheduleQuery(BaseModel):
    """In whose zone today is today."""

    model_config = ConfigDict(extra="forbid")

    timezone: ZoneName = Field(DEFAULT_ZONE, description="an IANA zone name")


class ScheduledCreatives(BaseModel):
    """Creatives by day, each day's by due time."""

    today: list[CreativeAnswer]
    tomorrow: list[CreativeAnswer]


class ScheduleAnswer(BaseModel):
    """What falls due today and tomorrow, scheduled or published."""

    scheduled_creatives: ScheduledCreatives
