"""Reads a whole form: the file into a temporary file, the fields into memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from media_service.storage.temp_file import TempFile
from media_service.upload.body import UploadBody, UploadLimits
from media_service.upload.headers import Disposition
from media_service.upload.multipart import Event, MultipartParser, PartData, PartStart
from shared.errors import BodyTooLarge, FieldError, ValidationFailed
from shared.validation import empty_to_null, unknown_field_message, validate

MAX_FIELD_BYTES = 16 * 1024
MAX_SHOWN_NAME = 64
FILE_START_BYTES = 32
FIRST_PRINTABLE = ord(" ")
F = TypeVar("F", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class FormSchema(Generic[F]):
    """The fields of a form, and which of them is its file; validators find `context` as theirs."""

    model: type[F]
    file_field: str
    context: object = None


async def read_form(
    body: UploadBody,
    boundary: bytes,
    temp_file: TempFile,
    limits: UploadLimits,
    schema: FormSchema[F],
) -> F:
    """Return the form's fields after its closing boundary and the end of the body.

    The file's field has the name that the client gave, possibly empty; the bytes are in
    `temp_file`.

    Raises:
        MalformedRequest, BodyTooLarge, UploadTooSlow: the body is refused while it is read.
        ValidationFailed: a field is repeated, unknown, missing, too long or no text.
    """
    parser = MultipartParser(boundary)
    collector = _FormCollector(temp_file, limits.max_file_bytes, schema)

    async def consume(pieces: Sequence[bytes]) -> None:
        for piece in pieces:
            parser.feed(piece)
            for event in parser.events():
                collector.add(event)
        await collector.flush()

    await body.deliver(consume)
    parser.close()
    return collector.form()


class _FormCollector(Generic[F]):
    """Collects the parser's events: file bytes in the temporary file, fields in memory.

    File bytes are views of what was read; `flush` writes them in one go, before more is read.
    Every faulty field is remembered, so that the client gets all errors at once.
    """

    def __init__(self, temp_file: TempFile, max_file_bytes: int, schema: FormSchema[F]) -> None:
        self._schema = schema
        self._temp_file = temp_file
        self._max_file_bytes = max_file_bytes
        self._file_bytes = 0
        self._file_start = b""
        self._file_has_name = False
        self._unwritten: list[memoryview] = []
        self._fields: dict[str, bytearray] = {}
        self._problems: list[FieldError] = []
        self._name: str | None = None

    def add(self, event: Event) -> None:
        if isinstance(event, PartStart):
            self._start_part(event.disposition)
        elif isinstance(event, PartData) and self._name == self._schema.file_field:
            self._add_file_bytes(event.data)
        elif isinstance(event, PartData) and self._name is not None:
            self._add_field_bytes(self._name, event.data)

    async def flush(self) -> None:
        if self._unwritten:
            pieces, self._unwritten = self._unwritten, []
            await self._temp_file.write(*pieces)

    def form(self) -> F:
        self._check_file()
        values = {name: self._text(name) for name in self._fields}
        model, named = self._schema.model, {problem.field for problem in self._problems}
        try:
            form = validate(model, empty_to_null(model, values), self._schema.context)
        except ValidationFailed as wrong:
            others = [one for one in wrong.errors if one.field not in named]
            raise ValidationFailed(self._problems + others) from None
        if self._problems:
            raise ValidationFailed(self._problems)
        return form

    def _start_part(self, disposition: Disposition) -> None:
        name, self._name = disposition.name, None
        if name not in self._schema.model.model_fields:
            message = unknown_field_message(self._schema.model, name)
            self._problems.append(FieldError(name[:MAX_SHOWN_NAME], "unknown", message))
        elif name in self._fields:
            self._problems.append(FieldError(name, "repeated", "given more than once"))
        else:
            self._name = name
            self._fields[name] = bytearray()
            if name == self._schema.file_field:
                self._fields[name] += (disposition.file_name or "").encode("utf-8", "replace")
                self._file_has_name = disposition.file_name is not None

    def _add_file_bytes(self, data: memoryview) -> None:
        if len(self._file_start) < FILE_START_BYTES:
            self._file_start += data[:FILE_START_BYTES]
        self._file_bytes += len(data)
        if self._file_bytes > self._max_file_bytes:
            raise BodyTooLarge.of("a file", self._max_file_bytes)
        self._unwritten.append(data)

    def _check_file(self) -> None:
        """Ignore an empty file input, and name the likely cause of a file that is a short text."""
        file_field = self._schema.file_field
        if not self._file_bytes and not self._fields.get(file_field):
            self._fields.pop(file_field, None)
        elif not self._file_has_name and self._is_short_text():
            message = "no file name: did you forget the @?"
            self._problems.append(FieldError(file_field, "not_a_file", message))

    def _is_short_text(self) -> bool:
        """Return whether the file may be a path: every picture has a control byte in its header."""
        few = self._file_bytes <= MAX_FIELD_BYTES
        return few and all(byte >= FIRST_PRINTABLE for byte in self._file_start)

    def _add_field_bytes(self, name: str, data: memoryview) -> None:
        self._fields[name] += data
        if len(self._fields[name]) > MAX_FIELD_BYTES:
            self._problems.append(FieldError(name, "too_long", f"over {MAX_FIELD_BYTES} bytes"))
            self._name = None

    def _text(self, name: str) -> str:
        try:
            return self._fields[name].decode("utf-8")
        except UnicodeDecodeError:
            self._problems.append(FieldError(name, "text", "not UTF-8 text"))
            return ""
