"""A user's calendar feed, and a calendar program that reads it."""

from urllib.parse import urlsplit

from tests.support.auth_client import Answer, read
from tests.support.calendars import Parsed, parse
from tests.support.media_client import MediaClient


async def create_feed(media: MediaClient) -> str:
    """The path of a new feed."""
    answer = await media.call("POST", "/feed")
    assert answer.status == 201, answer.body
    return str(urlsplit(answer.body["url"]).path)


async def fetch_feed(media: MediaClient, path: str, method: str = "GET", **headers: str) -> Answer:
    """Ask as a calendar program does: without any token."""
    async with media.http.request(method, path, headers=headers) as response:
        return await read(response)


async def read_feed(media: MediaClient, path: str) -> list[Parsed]:
    """What a parser finds at the path."""
    answer = await fetch_feed(media, path)
    assert answer.status == 200, answer.body
    return parse(answer.body)
