"""The compose files, as Docker reads them."""

import json
import os
import subprocess
from typing import Any

from tests.stack.stack import CHECKOUT

BARE = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


def read(*words: str, **told: str) -> dict[str, Any]:
    """What compose makes of the files, in an environment that says nothing else."""
    said = subprocess.run(
        [
            "docker",
            "compose",
            "--env-file",
            os.devnull,
            *words,
            "--profile",
            "*",
            "config",
            "--format",
            "json",
        ],
        cwd=CHECKOUT,
        env=BARE | told,
        capture_output=True,
        check=True,
    )
    assert said.stderr == b"", "it misses something"
    services: dict[str, Any] = json.loads(said.stdout)["services"]
    return services


def test_compose_without_settings_uses_development_defaults() -> None:
    services = read()
    [port] = services["gateway"]["ports"]
    assert (port["host_ip"], port["published"]) == ("127.0.0.1", "8080")
    for service in ("auth_service", "media_service"):
        told = services[service]["environment"]
        assert (told["ENV"], told["PUBLIC_URL"]) == ("development", "http://localhost:8080")


def test_compose_setting_of_the_environment_reaches_its_service() -> None:
    services = read(OTP_TTL="77", USER_QUOTA_BYTES="88", LOG_LEVEL="debug", GATEWAY_RATE="9")
    auth, media = (services[name]["environment"] for name in ("auth_service", "media_service"))
    assert (auth["OTP_TTL"], auth["LOG_LEVEL"]) == ("77", "debug")
    assert (media["USER_QUOTA_BYTES"], media["LOG_LEVEL"]) == ("88", "debug")
    assert services["gateway"]["environment"]["GATEWAY_RATE"] == "9"


def test_compose_with_certificate_publishes_ports_80_and_443() -> None:
    files = "-f", "docker-compose.yml", "-f", "deploy/tls.yml"
    told = {"TLS_CERTIFICATE": "/tls/crt", "TLS_KEY": "/tls/key", "PUBLIC_URL": "https://a.example"}
    gateway = read(*files, **told)["gateway"]
    published = {(port["published"], port["target"]) for port in gateway["ports"]}
    assert published == {("80", 8080), ("443", 8443)}
    assert {port["host_ip"] for port in gateway["ports"]} == {"0.0.0.0"}  # noqa: S104 - IPv4 alone
    assert gateway["environment"]["GATEWAY_SCHEME"] == "https"
    mounted = {mount["source"]: mount["target"] for mount in gateway["volumes"]}
    assert mounted["/tls/crt"] == "/etc/nginx/tls/tls.crt"
    assert mounted["/tls/key"] == "/etc/nginx/tls/tls.key"
