"""A bucket of moto's, on a port of its own; it checks no signature."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@dataclass(frozen=True)
class MotoBucket:
    """One bucket and a plain client of it."""

    name: str
    endpoint: str
    client: Any

    @property
    def url(self) -> str:
        return f"s3://{self.name}?endpoint={self.endpoint}"

    def objects(self) -> dict[str, int]:
        """Length of every object, by key."""
        listed = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {one["Key"]: one["Size"] for one in listed}

    def uploads(self) -> list[str]:
        """Keys of uploads in parts that have not ended."""
        listed = self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", [])
        return [one["Key"] for one in listed]


@contextmanager
def moto_server() -> Iterator[str]:
    """Run the server in threads of this process; yields its address."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow to import

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def make_bucket(endpoint: str, name: str) -> MotoBucket:
    import boto3  # type: ignore[import-untyped] # noqa: PLC0415 - slow to import
    from botocore.config import Config  # noqa: PLC0415

    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(request_checksum_calculation="when_required"),
    )
    client.create_bucket(Bucket=name)
    return MotoBucket(name, endpoint, client)
