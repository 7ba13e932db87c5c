"""Requests of Dart, .NET, iOS and React Native, written as bytes from what their sources say.

These clients cannot be installed beside Python, so that each case names the files that frame it.
Apple's CFNetwork is closed: its open twin, swift-corelibs-foundation, stands for it.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest

from tests.support.auth_client import Answer, AuthClient
from tests.support.media_client import MediaClient, day
from tests.support.pictures import encode
from tests.support.raw_http import parse

PLAIN, SPACED, WORLD = "lamp.jpg", "my lamp (1).jpg", "Österreich दीपक 😀.jpg"
TITLE, NAME = "दीपावली मेला", "Åsa O'Hara"
PHONE = "+919876512345"
JSON, JSON_UTF8 = "application/json", "application/json; charset=utf-8"
CHUNK_BYTES = 700

# dart-lang/sdk sdk/lib/_http/http_headers.dart: names in lower case, in the order of a hash map.
DART = """\
user-agent: Dart/3.9 (dart:io)
content-type: {type}
accept-encoding: gzip
transfer-encoding: {coding}
content-length: {length}
authorization: {authorization}
host: {host}"""
# dotnet/runtime System.Net.Http/SocketsHttpHandler/HttpConnection.cs: the host, the request's
# headers, those of its content; a POST without content has the length 0.
DOTNET = """\
Host: {host}
Authorization: {authorization}
Transfer-Encoding: {coding}
Content-Type: {type}
Content-Length: {length}"""
# Alamofire Source/Core/HTTPHeaders.swift: what it adds. swift-corelibs-foundation
# FoundationNetworking/URLSession/HTTP/HTTPURLProtocol.swift: a POST without a body has the length
# 0, and a stream is chunked.
APPLE = """\
Host: {host}
Content-Type: {type}
Connection: keep-alive
Accept: */*
User-Agent: Lamps/1.0 (org.example.Lamps; build:1; iOS 18.0.0) Alamofire/5.10.2
Content-Length: {length}
Transfer-Encoding: {coding}
Authorization: {authorization}
Accept-Language: hi-IN;q=1.0, en;q=0.9
Accept-Encoding: br;q=1.0, gzip;q=0.9, deflate;q=0.8"""
# facebook/react-native Libraries/Network/XMLHttpRequest.js: the names that a script sets are in
# lower case. square/okhttp internal/http/BridgeInterceptor.kt: the others follow, capitalized.
ANDROID = """\
accept: application/json, text/plain, */*
authorization: {authorization}
user-agent: okhttp/4.12.0
Content-Type: {type}
Content-Length: {length}
Host: {host}
Connection: Keep-Alive
Accept-Encoding: gzip"""


def chunked(body: bytes) -> bytes:
    """Sizes have upper-case digits with dart:io (http_impl.dart) and .NET."""
    pieces = [body[at : at + CHUNK_BYTES] for at in range(0, len(body), CHUNK_BYTES)]
    return b"".join(b"%X\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@dataclass(frozen=True)
class Message:
    """The frame of a request: its header lines, its content type, and how its end is told."""

    head: str
    kind: str = ""
    chunks: bool = False

    def write(self, path: str, host: str, body: bytes, token: str = "") -> bytes:
        values = {
            "host": host,
            "type": self.kind,
            "coding": "chunked" if self.chunks else "",
            "length": "" if self.chunks else str(len(body)),
            "authorization": f"Bearer {token}" if token else "",
        }
        lines = [line.format_map(values) for line in self.head.splitlines()]
        given = [line for line in lines if not line.endswith(": ")]
        head = "\r\n".join([f"POST {path} HTTP/1.1", *given, "", ""])
        return head.encode() + (chunked(body) if self.chunks else body)


@dataclass(frozen=True)
class Form:
    """A multipart form: its boundary, and the header lines of its file and of its fields."""

    boundary: str
    file: str
    field: str
    text: str = ""
    """The header lines of a field that is no ASCII, where they differ."""

    def write(self, fields: dict[str, str], file_name: str, picture: bytes) -> bytes:
        parts = [
            (self.text if self.text and not value.isascii() else self.field, name, value.encode())
            for name, value in fields.items()
        ]
        parts.append((self.file, file_name, picture))
        body = b""
        for lines, name, data in parts:
            head = "\r\n".join(lines.splitlines()) % {"name": name, "length": len(data)}
            body += f"--{self.boundary}\r\n{head}\r\n\r\n".encode() + data + b"\r\n"
        return body + f"--{self.boundary}--\r\n".encode()


Exchange = Callable[[bytes], Awaitable[Answer]]


@asynccontextmanager
async def connection(host: str, port: int) -> AsyncIterator[Exchange]:
    """Yield what sends one request after the other over the same connection."""
    reader, writer = await asyncio.open_connection(host, port)

    async def send(request: bytes) -> Answer:
        async with asyncio.timeout(20):
            writer.write(request)
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            return parse(head + await reader.readexactly(int(length or b"0")))

    try:
        yield send
    finally:
        writer.close()
        await writer.wait_closed()


# dart-lang/http pkgs/http/lib/src/multipart_request.dart and boundary_characters.dart: 70
# characters with a plus among them; a file's type comes first, its name is bare UTF-8.
_DART_FORM = Form(
    "dart-http-boundary-+_.+XyZ0aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV1wX2yZ3aB4c",
    'content-type: image/jpeg\ncontent-disposition: form-data; name="file"; filename="%(name)s"',
    'content-disposition: form-data; name="%(name)s"',
    'content-disposition: form-data; name="%(name)s"\n'
    "content-type: text/plain; charset=utf-8\ncontent-transfer-encoding: binary",
)
# cfug/dio dio/lib/src/form_data.dart: the boundary begins with dashes of its own.
_DIO_FORM = Form(
    "--dio-boundary-0123456789",
    'content-disposition: form-data; name="file"; filename="%(name)s"\ncontent-type: image/jpeg',
    _DART_FORM.field,
    _DART_FORM.text,
)
_GUID = "5f1f7c1e-6b1e-4b0a-9f3e-0d6c1f8a2b3c"
_WORD = f"=?utf-8?B?{b64encode(WORLD.encode()).decode()}?="


def _dotnet_form(file_name: str, extended: str = "") -> Form:
    """Names are bare words where they can be.

    dotnet/runtime System.Net.Http/MultipartFormDataContent.cs, Headers/
    ContentDispositionHeaderValue.cs (base64 of RFC 2047 in `filename`) and Headers/
    HeaderUtilities.cs (`filename*`).
    """
    star = "; filename*=utf-8''" + quote(extended, safe="!#$&+-.^_`|~").replace("%", "%%")
    disposition = "Content-Disposition: form-data; name="
    return Form(
        _GUID,
        f"Content-Type: image/jpeg\n{disposition}file; filename={file_name}{star * bool(extended)}",
        f"Content-Type: text/plain; charset=utf-8\n{disposition}%(name)s",
    )


_APPLE_FIELD = 'Content-Disposition: form-data; name="%(name)s"'
_APPLE_FILE = 'Content-Disposition: form-data; name="file"; filename="%(name)s"'
# Alamofire Source/Features/MultipartFormData.swift
_ALAMOFIRE_FORM = Form(
    "alamofire.boundary.0123456789abcdef", f"{_APPLE_FILE}\nContent-Type: image/jpeg", _APPLE_FIELD
)
# AFNetworking AFURLRequestSerialization.m: the headers of a part are in the order of a dictionary.
_AFNETWORKING_FORM = Form(
    "Boundary+0A1B2C3D4E5F6071", f"Content-Type: image/jpeg\n{_APPLE_FILE}", _APPLE_FIELD
)
# facebook/react-native Libraries/Network/FormData.js: names in lower case, file names encoded as a
# component of a URI. RCTNetworking.mm: a boundary of 70 characters.
_REACT_FIELD = 'content-disposition: form-data; name="%(name)s"'
_REACT_FILE = 'content-disposition: form-data; name="file"; filename="%(name)s"'
_REACT_IOS_FORM = Form(
    "_.-aB1" * 11 + "cD2.", f"{_REACT_FILE}\ncontent-type: image/jpeg", _REACT_FIELD
)
# ReactAndroid modules/network/NetworkingModule.kt: each part repeats the app's user agent.
# square/okhttp MultipartBody.kt, 3 and 4: each part has its length.
_ANDROID_LINES = "\nuser-agent: okhttp/4.12.0\n"
_REACT_ANDROID_FORM = Form(
    _GUID,
    f"{_REACT_FILE}{_ANDROID_LINES}Content-Type: image/jpeg\nContent-Length: %(length)d",
    f"{_REACT_FIELD}{_ANDROID_LINES}Content-Length: %(length)d",
)
# square/okhttp MultipartBody.kt, 5: no length.
_OKHTTP_5_FORM = Form(_GUID, f"{_REACT_FILE}\nContent-Type: image/jpeg", _REACT_FIELD)


def component(name: str) -> str:
    """As JavaScript's encodeURIComponent writes it."""
    return quote(name, safe="!~*'()")


UPLOADS: dict[str, tuple[str, Form, str, str]] = {
    "dart http": (DART, _DART_FORM, WORLD, WORLD),
    "dart http, spaces": (DART, _DART_FORM, SPACED, SPACED),
    "dart dio": (DART, _DIO_FORM, WORLD, WORLD),
    "dotnet, a word": (DOTNET, _dotnet_form("%(name)s", PLAIN), PLAIN, PLAIN),
    "dotnet, spaces": (DOTNET, _dotnet_form('"%(name)s"', SPACED), SPACED, SPACED),
    "dotnet, no ASCII": (DOTNET, _dotnet_form('"%(name)s"', WORLD), _WORD, WORLD),
    "dotnet, FileName alone": (DOTNET, _dotnet_form('"%(name)s"'), _WORD, WORLD),
    "ios Alamofire": (APPLE, _ALAMOFIRE_FORM, WORLD, WORLD),
    "ios AFNetworking": (APPLE, _AFNETWORKING_FORM, SPACED, SPACED),
    "react native ios": (APPLE, _REACT_IOS_FORM, component(WORLD), WORLD),
    "react native ios, before it encoded": (APPLE, _REACT_IOS_FORM, WORLD, WORLD),
    "react native android": (ANDROID, _REACT_ANDROID_FORM, component(WORLD), WORLD),
    "react native android, spaces": (ANDROID, _REACT_ANDROID_FORM, component(SPACED), SPACED),
    "react native android, OkHttp 5": (ANDROID, _OKHTTP_5_FORM, component(WORLD), WORLD),
}


@pytest.mark.parametrize("client", UPLOADS)
async def test_upload_framed_as_a_client_does_keeps_its_file_name(
    media: MediaClient, client: str
) -> None:
    head, form, file_name, shown = UPLOADS[client]
    body = form.write({"title": TITLE, "scheduled_at": day()}, file_name, encode())
    host, port = media.address
    for chunks in (False, "{coding}" in head):  # a length that is known, and a stream
        boundary = f'"{form.boundary}"' if head is DOTNET else form.boundary
        message = Message(head, f"multipart/form-data; boundary={boundary}", chunks)
        request = message.write("/v1/media/creatives", f"{host}:{port}", body, media.token)
        async with connection(host, port) as send:
            first, answer = await send(request), await send(request)  # the first is read to its end
        assert (first.status, answer.status) == (201, 201), answer.body
        assert answer.body["title"] == TITLE
        file = await media.call("HEAD", f"/creatives/{answer.body['id']}/file")
        extended = file.headers["Content-Disposition"].partition("filename*=UTF-8''")[2]
        assert unquote(extended) == shown


MESSAGES: dict[str, tuple[Message, Message, bytes]] = {
    # dart-lang/http pkgs/http/lib/src/request.dart and io_client.dart: the length is always said.
    "dart http": (Message(DART, JSON), Message(DART), b""),
    "dart http, before JSON lost its charset": (Message(DART, JSON_UTF8), Message(DART), b""),
    # dart-lang/sdk sdk/lib/_http/http_impl.dart: an added stream is chunked, even an empty one.
    "dart:io, a stream": (Message(DART, JSON, chunks=True), Message(DART, chunks=True), b""),
    # dotnet/runtime System.Net.Http.Json/JsonContent.cs: the length is never known.
    "dotnet JsonContent": (Message(DOTNET, JSON_UTF8, chunks=True), Message(DOTNET), b""),
    "dotnet JsonContent of null": (
        Message(DOTNET, JSON_UTF8, chunks=True),
        Message(DOTNET, JSON_UTF8, chunks=True),
        b"null",
    ),
    "dotnet StringContent": (Message(DOTNET, JSON_UTF8), Message(DOTNET, JSON_UTF8), b""),
    "ios": (Message(APPLE, JSON), Message(APPLE), b""),
    "ios, a stream": (Message(APPLE, JSON, chunks=True), Message(APPLE, JSON, chunks=True), b""),
    # ReactAndroid modules/network/NetworkingModule.kt: the empty body keeps the script's type.
    "react native android": (Message(ANDROID, JSON), Message(ANDROID), b""),
    "react native android, a type": (Message(ANDROID, JSON), Message(ANDROID, JSON), b""),
}


@pytest.mark.parametrize("client", MESSAGES)
async def test_sign_up_and_logout_framed_as_a_client_does_pass(
    auth: AuthClient, client: str
) -> None:
    with_json, without_body, nothing = MESSAGES[client]
    base = urlsplit(str(auth.http._base_url))
    async with connection(base.hostname or "", base.port or 0) as send:

        async def sign_up(**body: Any) -> Answer:
            given = json.dumps({"phone_number": PHONE, **body}, ensure_ascii=False).encode()
            return await send(with_json.write("/v1/auth/signup", base.netloc, given))

        asked = await sign_up(name=NAME)
        assert asked.status == 202, asked.body
        entered = await sign_up(otp=await auth.code(PHONE), challenge=asked.body["challenge"])
        assert entered.status == 201, entered.body
        token = entered.body["access_token"]
        me = await auth.call("GET", "/me", token=token)
        assert me.body["name"] == NAME
        for path in ("/v1/auth/logout-all", "/v1/auth/logout"):
            left = await send(without_body.write(path, base.netloc, nothing, token))
            assert left.status == 204, left.body
