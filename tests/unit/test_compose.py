"""The compose file, read as data: every setting passes through, no container may do much."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from auth_service.settings import AuthSettings
from deploy.redis_acl import LIMITS
from docs.generate import COMPOSE_ONLY
from media_service.settings import MediaSettings
from shared.drain import ANSWER_SECONDS
from shared.opaque_tokens import encode_token
from shared.settings import ServiceSettings

COMPOSE = yaml.safe_load(Path("docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
FEED_TOKEN = encode_token("chf_", bytes(range(32)))
# Where things are inside the containers is the compose file's own business.
WIRED = {"HOST", "PORT", "JWKS_FILE", "JWT_PRIVATE_KEYS_DIR"}
# What media_service's libraries read: Python, and whatever speaks to a bucket.
LIBRARIES = {"TMPDIR", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} | {
    "AWS_SHARED_CREDENTIALS_FILE"
}
MODELS: dict[str, type[ServiceSettings]] = {
    "auth_service": AuthSettings,
    "media_service": MediaSettings,
}


@pytest.mark.parametrize("service", MODELS)
def test_compose_passes_every_setting(service: str) -> None:
    given = SERVICES[service]["environment"]
    settings = {name.upper() for name in MODELS[service].model_fields} - WIRED
    assert settings - set(given) == set(), "missing in docker-compose.yml"
    fixed = {
        name: given[name]
        for name in settings
        if given[name] is not None and not given[name].startswith(f"${{{name}")
    }
    assert fixed == {}, "the environment's own value would not count"


@pytest.mark.parametrize("service", MODELS)
def test_compose_passes_known_settings_alone(service: str) -> None:
    known = {name.upper() for name in MODELS[service].model_fields}
    given = set(SERVICES[service]["environment"])
    assert {name for name in given if name.removesuffix("_FILE") not in known} - known <= LIBRARIES


@pytest.mark.parametrize("service", SERVICES)
def test_compose_containers_are_read_only_and_unprivileged(service: str) -> None:
    container = SERVICES[service]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert "cap_add" not in container
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert not container.get("privileged")


def test_compose_redis_has_the_limits_of_the_embedded_one() -> None:
    command = SERVICES["redis"]["command"]
    given = {name: command[command.index(f"--{name}") + 1] for name in LIMITS}
    assert given == LIMITS


def test_compose_own_images_are_never_pulled() -> None:
    ours = {name for name, one in SERVICES.items() if "PROJECT_NAME" in one["image"]}
    assert {SERVICES[name]["pull_policy"] for name in ours} == {"never"}
    assert {SERVICES[name]["user"] for name in ours} == {"10001:10001"}


@pytest.mark.parametrize("name", COMPOSE_ONLY)
def test_compose_own_variables_have_their_documented_default(name: str) -> None:
    default, _ = COMPOSE_ONLY[name]
    files = Path("docker-compose.yml"), Path("deploy/tls.yml")
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    found = set(re.findall(rf"\${{{name}(:[-?][^}}]*)?}}", text))
    assert found == {f":-{default}"} if default else len(found) == 1


def test_compose_builds_each_image_once() -> None:
    built = sorted(one["image"] for one in SERVICES.values() if "build" in one)
    assert built == sorted({one["image"] for one in SERVICES.values() if "PROJECT" in one["image"]})


def test_compose_with_certificate_publishes_on_ipv4_alone() -> None:
    text = Path("deploy/tls.yml").read_text(encoding="utf-8").replace("!override", "")
    gateway = yaml.safe_load(text)["services"]["gateway"]
    assert all(port.startswith("0.0.0.0:") for port in gateway["ports"])
    assert gateway["environment"]["PUBLIC_URL"].startswith("${PUBLIC_URL:?")


def test_compose_in_production_conceals_accounts_by_default() -> None:
    overlay = yaml.safe_load(Path("deploy/production.yml").read_text(encoding="utf-8"))["services"]
    assert {one["environment"]["ENV"] for one in overlay.values()} == {"production"}
    assert set(overlay) == {"gateway", *MODELS}
    auth = overlay["auth_service"]["environment"]
    assert auth["ACCOUNT_DISCLOSURE"] == "${ACCOUNT_DISCLOSURE:-conceal}"


def test_compose_publishes_on_loopback_alone() -> None:
    published = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert set(published) == {"gateway", "mail"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_compose_store_is_on_the_data_network_without_key_in_environment() -> None:
    store = SERVICES["store"]
    assert (store["profiles"], store["networks"]) == (["s3"], ["data"])
    assert store["user"] != "0"
    assert "AUTH_KEY" not in str(store.get("environment", {}))


def test_compose_stop_grace_covers_drain_and_shutdown() -> None:
    defaults = {name: field.default for name, field in ServiceSettings.model_fields.items()}
    needed = defaults["drain_seconds"] + defaults["shutdown_grace"] + ANSWER_SECONDS
    for service in MODELS:
        assert float(SERVICES[service]["stop_grace_period"].removesuffix("s")) > needed


def test_gateway_stop_grace_covers_requests_in_progress() -> None:
    text = Path("deploy/gateway/nginx.conf").read_text(encoding="utf-8")
    [patience] = re.findall(r"\nworker_shutdown_timeout (\d+)s;", text)
    assert float(SERVICES["gateway"]["stop_grace_period"].removesuffix("s")) > int(patience)
    longest = ServiceSettings.model_fields["shutdown_grace"].default + ANSWER_SECONDS
    assert int(patience) > longest


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v1/media/creatives?signature=x", "/v1/media/creatives"),
        (f"/v1/media/feed/{FEED_TOKEN}.ics", "/v1/media/feed/[redacted]"),
        (f"/v1/media/feed/{FEED_TOKEN}.ics?x={FEED_TOKEN}", "/v1/media/feed/[redacted]"),
        (f"//v1/media/feeds//{FEED_TOKEN.upper()}", "//v1/media/feeds//[redacted]"),
        (f"/v1/media/feed/%63%48f%5F{FEED_TOKEN[4:]}.ics", "/v1/media/feed/[redacted]"),
        ("/v1/media/feed", "/v1/media/feed"),
        (f"/{'x' * 300}/{FEED_TOKEN}", f"/{'x' * 199}"),
        (f"/{'x' * 199}{FEED_TOKEN}", f"/{'x' * 199}[redacted]"),
        (f"/nothing?x={FEED_TOKEN}", "/nothing"),
    ],
)
def test_gateway_log_path_masks_the_token_of_a_feed(path: str, shown: str) -> None:
    """As nginx does: the first pattern that matches counts."""
    text = Path("deploy/gateway/nginx.conf").read_text(encoding="utf-8")
    (block,) = re.findall(r"map \$request_uri \$asked_path \{\n(.*?)\n    \}", text, re.DOTALL)
    for flag, pattern, value in re.findall(r'"~(\*?)(\S+)" "?([^;"]+)"?;', block):
        found = re.match(pattern.replace("?<", "?P<"), path, re.IGNORECASE if flag else 0)
        if found:
            assert value.replace("${path}", "$path").replace("$path", found["path"]) == shown
            return
    pytest.fail("no pattern matches")


def test_gateway_depends_on_no_service() -> None:
    assert "depends_on" not in SERVICES["gateway"]


def test_gateway_networks_have_no_way_out() -> None:
    networks = COMPOSE["networks"]
    assert SERVICES["gateway"]["networks"] == ["entry", "edge"]
    assert networks["edge"] == {"internal": True}
    masquerade = "com.docker.network.bridge.enable_ip_masquerade"
    assert networks["entry"]["driver_opts"] == {masquerade: "false"}
    assert [name for name, one in SERVICES.items() if "entry" in one.get("networks", [])] == [
        "gateway"
    ]


def test_compose_mounts_each_key_volume_where_needed_alone() -> None:
    mounted: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            mounted.setdefault(volume.partition(":")[0], set()).add(name)
    assert mounted["keys_auth"] == {"keys", "migrate", "auth_service"}
    assert mounted["keys_signing"] == {"keys", "auth_service"}
    assert mounted["keys_media"] == {"keys", "migrate", "media_service"}
    assert mounted["keys_postgres"] == {"keys", "migrate", "postgres"}
    assert mounted["keys_redis"] == {"keys", "redis"}
    assert mounted["keys_store"] == {"keys", "store"}
    assert mounted["jwks"] == {"keys", "media_service"}
