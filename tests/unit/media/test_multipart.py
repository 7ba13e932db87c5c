"""The multipart parser: events, however the body is cut, and one name for every damage."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_service.upload.headers import Disposition, read_boundary, read_part_headers
from media_service.upload.multipart import (
    MAX_PARTS,
    Event,
    MultipartParser,
    PartData,
    PartEnd,
    PartStart,
)
from shared.errors import BodyTooLarge, MalformedRequest, UnsupportedMediaType

BOUNDARY = b"frontier"
Part = tuple[str, str | None, bytes]


def part(name: str, data: bytes, more: str = "") -> bytes:
    head = f'--frontier\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + data + b"\r\n"


def parse(chunks: Iterable[bytes]) -> list[Part]:
    parser = MultipartParser(BOUNDARY)
    found: list[Part] = []
    events: list[Event] = []
    for chunk in chunks:
        parser.feed(chunk)
        events += parser.events()
    parser.close()
    for event in events:
        if isinstance(event, PartStart):
            found.append((event.disposition.name, event.disposition.file_name, b""))
        elif isinstance(event, PartData):
            name, file_name, data = found[-1]
            found[-1] = name, file_name, data + event.data
    assert sum(isinstance(event, PartEnd) for event in events) == len(found)
    return found


PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b"\r\n", b"--", b"\r\n--", b"--frontie", b"\r\n--fronti", b"\n", b"\r"]),
)


@given(st.lists(PIECES, max_size=8).map(b"".join), st.data())
def test_multipart_cut_anywhere_gives_the_same_parts(content: bytes, data: st.DataObject) -> None:
    body = part("file", content, '; filename="x.png"') + part("title", b"hi") + b"--frontier--\r\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=12)))
    edges = [0, *cuts, len(body)]
    chunks = [body[a:b] for a, b in pairwise(edges)]
    assert parse(chunks) == [("file", "x.png", content), ("title", None, b"hi")]


def test_multipart_holds_back_possible_boundaries_alone() -> None:
    parser = MultipartParser(BOUNDARY)
    parser.feed(part("a", b"")[:-2])
    list(parser.events())
    for chunk, expected in ((b"ab\r", b"ab"), (b"c\n", b"\rc\n"), (b"d\r\n--fro", b"d")):
        parser.feed(chunk)
        assert [event.data for event in parser.events() if isinstance(event, PartData)] == [
            expected
        ]
    parser.feed(b"g")
    assert [event.data for event in parser.events() if isinstance(event, PartData)] == [
        b"\r\n--frog"
    ]


def test_multipart_byte_by_byte_is_read() -> None:
    body = part("a", b"\r\n-\r\n--f") + part("b", b"") + b"--frontier--"
    assert parse(bytes([byte]) for byte in body) == [("a", None, b"\r\n-\r\n--f"), ("b", None, b"")]


def test_multipart_preamble_padding_and_epilogue_are_skipped() -> None:
    body = (
        b"hello\r\n--frontier \t\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--frontier--"
    )
    assert parse([body, b"\r\nthe end\r\n--frontier\r\n"]) == [("a", None, b"x")]


def test_multipart_without_parts_is_an_empty_form() -> None:
    assert parse([b"--frontier--"]) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n",
        b"no boundary here",
        b"--other\r\n\r\n\r\n--other--",
        b"--frontier",
        b"--frontier\r\n",
        part("a", b"x"),
        part("a", b"x") + b"--frontier-",
        b"--frontierX\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--frontier--",
        b"--frontier\r\n\r\nx\r\n--frontier--",
        b"--frontier\r\nContent-Disposition: form-data\r\n\r\nx\r\n--frontier--",
        b"x" * 5000 + b"\r\n--frontier--",
        b"\r\n" * 200_000,
        b"--frontier\r\nX: " + b"y" * 10_000 + b"\r\n\r\n\r\n--frontier--",
        b"--frontier" + b" " * 100 + b"\r\n",
    ],
)
def test_multipart_malformed_body_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedRequest):
        parse([body])


def test_multipart_too_many_parts_are_refused_at_the_first_beyond() -> None:
    fine = b"".join(part(f"p{n}", b"") for n in range(MAX_PARTS))
    assert len(parse([fine + b"--frontier--"])) == MAX_PARTS
    with pytest.raises(BodyTooLarge):
        parse([fine + part("more", b"") * 10_000])


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('form-data; name="file"; filename="a b.png"', Disposition("file", "a b.png")),
        ("form-data; name=file; filename=a.png", Disposition("file", "a.png")),
        ('FORM-DATA ;  NAME="file" ; FileName="a.png"', Disposition("file", "a.png")),
        ('form-data; name="file"; filename="a\\"b.png"', Disposition("file", 'a"b.png')),
        (
            'form-data; name="file"; filename="a%22b%0D%0Ac.png"',
            Disposition("file", 'a"b\r\nc.png'),
        ),
        (
            'form-data; name="file"; filename="C:\\dir\\a.png"',
            Disposition("file", "C:\\dir\\a.png"),
        ),
        ('form-data; name="file"; filename="..\\"', Disposition("file", "..\\")),
        ('form-data; name="file"; filename="a;b=c.png"', Disposition("file", "a;b=c.png")),
        ("form-data; name=file; filename*=UTF-8''%e2%82%ac.png", Disposition("file", "€.png")),
        ("form-data; name=file; filename=x; filename*=utf-8'de'%C3%A4", Disposition("file", "ä")),
        ("form-data; name=file; filename*=UTF-8''%ff%fe", Disposition("file", "\ufffd\ufffd")),
        ('form-data; name=""; filename=""', Disposition("", "")),
        ('form-data; name=file; filename="my%20photo.jpg"', Disposition("file", "my photo.jpg")),
        ("form-data; name=file; filename=%E2%82%AC.png", Disposition("file", "€.png")),
        ('form-data; name=file; filename="50%.png"', Disposition("file", "50%.png")),
        ('form-data; name=file; filename="%ff.png"', Disposition("file", "%ff.png")),
        ('form-data; name=file; filename="a%00.png"', Disposition("file", "a%00.png")),
        ('form-data; name=file; filename="é%20%22.png"', Disposition("file", 'é%20".png')),
        ('form-data; name=file; filename="=?utf-8?B?w6kucG5n?="', Disposition("file", "é.png")),
        ('form-data; name=file; filename="=?UTF-8?b?/w==?="', Disposition("file", "\ufffd")),
        (
            'form-data; name=file; filename="=?utf-8?B?w6k?="',
            Disposition("file", "=?utf-8?B?w6k?="),
        ),
        (
            'form-data; name=file; filename="=?klingon?B?eA==?="',
            Disposition("file", "=?klingon?B?eA==?="),
        ),
        ("form-data; name=file; filename*=iso-8859-1''%e9.png", Disposition("file", "é.png")),
        ("form-data; name=file; filename*=klingon''x", Disposition("file", "")),
        ("form-data; name=file; filename*=a", Disposition("file", "")),
        (
            "form-data; name=file; filename=a.png; filename*=klingon''x",
            Disposition("file", "a.png"),
        ),
        (
            'form-data; name="file"; filename="the "best" one.png"',
            Disposition("file", 'the "best" one.png'),
        ),
        ('form-data; filename="a";b".png"; name="file"', Disposition("file", 'a";b".png')),
        ("form-data; name=file; filename=my photo.png ; x=y", Disposition("file", "my photo.png")),
        ("form-data; name=file; filename='a.png'", Disposition("file", "'a.png'")),
        ('form-data; name="file";\r\n\tfilename="a.png"', Disposition("file", "a.png")),
        ('form-data; name="file"; filename="a\r\n b.png"', Disposition("file", "a b.png")),
    ],
)
def test_disposition_names_are_read(header: str, expected: Disposition) -> None:
    assert read_part_headers(f"Content-Disposition: {header}".encode()) == expected


def test_disposition_invalid_utf_8_is_replaced() -> None:
    block = b'Content-Disposition: form-data; name="file"; filename="\xff\xfe.png"'
    assert read_part_headers(block) == Disposition("file", "\ufffd\ufffd.png")


@pytest.mark.parametrize(
    "block",
    [
        b'Content-Disposition: form-data; name="file"; filename="a"; filename="b"',
        b'Content-Disposition: form-data; name="a"; name="b"',
        b'Content-Disposition: form-data; name="file"; filename="a',
        b'Content-Disposition: form-data; name="file"; filename="a\0.png"',
        b"Content-Disposition: form-data; name=file; filename*=UTF-8''%00",
        b"Content-Disposition: attachment; name=file",
        b"Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b",
        b"Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64",
        b"Content-Disposition: form-data; name=a\r\nContent-Encoding: gzip",
        b"Content-Disposition: form-data; name=a\r\nContent-Type: multipart/mixed; boundary=x",
        b"Content-Disposition: form-data; name=a\r\nno colon",
        b"Content-Disposition: form-data; name=a\r\nBad Name: x",
        b" folded\r\nContent-Disposition: form-data; name=a",
        b"Content-Disposition: form-data; name=a\nX: y",
        b": x",
        b"",
    ],
)
def test_part_headers_malformed_are_refused(block: bytes) -> None:
    with pytest.raises(MalformedRequest):
        read_part_headers(block)


@given(st.binary(max_size=200))
def test_part_headers_of_any_bytes_never_crash(block: bytes) -> None:
    try:
        read_part_headers(b"Content-Disposition: form-data; " + block)
    except MalformedRequest:
        return


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=abc", b"abc"),
        ('Multipart/Form-Data; charset=utf-8; boundary="a b"', b"a b"),
        ("multipart/form-data; boundary=**a*b**", b"**a*b**"),
        ('multipart/form-data; boundary="<a@b;c>"', b"<a@b;c>"),
        ("multipart/form-data; boundary=a b ", b"a b"),
        ("multipart/form-data;boundary=----WebKitFormBoundary7MA4", b"----WebKitFormBoundary7MA4"),
    ],
)
def test_boundary_is_read_from_content_type(content_type: str, boundary: bytes) -> None:
    assert read_boundary(content_type) == boundary


@pytest.mark.parametrize(
    ("content_type", "refusal"),
    [
        ("", UnsupportedMediaType),
        ("application/json", UnsupportedMediaType),
        ("multipart/mixed; boundary=a", UnsupportedMediaType),
        ("multipart/form-data", MalformedRequest),
        ("multipart/form-data; boundary=", MalformedRequest),
        ('multipart/form-data; boundary="a "', MalformedRequest),
        ("multipart/form-data; boundary=" + "a" * 71, MalformedRequest),
        ("multipart/form-data; boundary=ä", MalformedRequest),
        ("multipart/form-data; boundary=a; boundary=b", MalformedRequest),
        ('multipart/form-data; boundary="a', MalformedRequest),
    ],
)
def test_boundary_invalid_or_other_content_type_is_refused(
    content_type: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        read_boundary(content_type)
