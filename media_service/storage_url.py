"""Parses `STORAGE_URL`."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_OPTIONS = frozenset({"endpoint", "region"})


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory of this machine."""

    path: Path


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of an S3-compatible store; without an endpoint, of AWS."""

    name: str
    endpoint: str | None
    region: str | None


def parse_storage_url(text: str) -> Directory | Bucket:
    """Return the place that `file:///directory` or `s3://bucket?endpoint=…&region=…` names.

    Raises:
        ValueError: it is neither.
    """
    url = urlsplit(text)
    if url.scheme == "s3":
        return _bucket(url.netloc, url.path, url.query)
    path = unquote(url.path)
    if url.scheme != "file" or url.netloc or not path.startswith("/") or "\0" in path:
        raise ValueError("expected file:///absolute/directory or s3://bucket?endpoint=…&region=…")
    return Directory(Path(path))


def _bucket(name: str, path: str, query: str) -> Bucket:
    if not _BUCKET.fullmatch(name) or path.strip("/"):
        raise ValueError("expected s3://bucket?endpoint=…&region=…")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := options.keys() - _OPTIONS:
        raise ValueError(f"s3:// takes endpoint and region, not {', '.join(sorted(unknown))}")
    endpoint = options.get("endpoint") or None
    if endpoint and urlsplit(endpoint).scheme not in {"http", "https"}:
        raise ValueError("expected endpoint=http://… or endpoint=https://…")
    return Bucket(name, endpoint, options.get("region") or None)
