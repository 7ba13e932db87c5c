"""With a certificate the gateway speaks https and HTTP/2, and http only leads there."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.stack.gateway import client_of, gateway, reload
from tests.stack.stack import Stack
from tests.stack.test_gateway import problem

NAME = "gateway.test"
TOLD = {"GATEWAY_SCHEME": "https", "PUBLIC_URL": f"https://{NAME}"}


@pytest.fixture
def certificate(tmp_path: Path) -> dict[Path, str]:
    """A certificate of our own for any address here, and where the gateway looks for it."""
    return issue(tmp_path)


def issue(folder: Path) -> dict[Path, str]:
    """Make a certificate; files that are there already are replaced, not written in place."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    files = {
        folder / "crt": made.public_bytes(serialization.Encoding.PEM),
        folder / "key": private,
    }
    for path, text in files.items():
        fresh = path.with_suffix(".new")
        fresh.write_bytes(text)
        fresh.chmod(0o444)
        fresh.replace(path)
    return {folder / name: f"/etc/nginx/tls/tls.{name}" for name in ("crt", "key")}


@pytest.fixture
def https(stack: Stack, certificate: dict[Path, str]) -> Iterator[str]:
    """The host of a gateway with that certificate."""
    with gateway(stack, files=certificate, **TOLD) as address:
        yield address.removeprefix("http://").removesuffix(":8080")


async def test_http_redirects_to_https(https: str) -> None:
    path = "/v1/auth/me?a=b"
    async with (
        client_of(f"http://{https}:8080") as http,
        http.get(path, allow_redirects=False) as led,
    ):
        assert led.status == 308
        assert led.headers["Location"] == f"https://{NAME}{path}"


async def test_https_serves_http_2_with_hsts(https: str, certificate: dict[Path, str]) -> None:
    trusted = ssl.create_default_context(cafile=next(iter(certificate)))
    async with client_of(f"http://{https}:8080") as http:
        url = f"https://{https}:8443/v1/auth/me"
        async with http.get(url, ssl=trusted, server_hostname=NAME) as answer:
            assert answer.status == 401
            assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    trusted.set_alpn_protocols(["h2", "http/1.1"])
    _, writer = await asyncio.open_connection(https, 8443, ssl=trusted, server_hostname=NAME)
    assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def test_reload_replaced_certificate_is_served(
    stack: Stack, https: str, certificate: dict[Path, str]
) -> None:
    def served() -> str:
        return ssl.get_server_certificate((https, 8443))

    stack.until(lambda: _listens(https), "it does not listen", 20)
    before = served()
    again = issue(next(iter(certificate)).parent)
    assert served() == before
    reload(stack, f"http://{https}:8080", again, **TOLD)
    stack.until(lambda: served() == next(iter(again)).read_text(), "it is not served", 5)


def _listens(host: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, 8443), 1):
        return True
    return False


async def test_tls_1_1_is_refused(https: str) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("DEFAULT:@SECLEVEL=0")  # else nothing would be sent at all
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with client_of(f"http://{https}:8080"):
        with pytest.raises(ssl.SSLError) as refused:
            await asyncio.open_connection(https, 8443, ssl=old)
    assert refused.value.reason == "TLSV1_ALERT_PROTOCOL_VERSION"  # said by the other side


async def test_gateway_errors_before_the_redirect_are_problems(https: str) -> None:
    async with client_of(f"http://{https}:8080") as http:
        big = await problem(http, "GET", "/", headers={"X": "x" * 9000})
    assert (big["status"], big["code"]) == (431, "headers_too_large")
