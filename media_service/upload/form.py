"""Reading a whole form: the file goes to its staged file, the fields are kept."""

from pydantic import ValidationError

from media_service.storage.model import StagedFile
from media_service.upload.body import UploadBody
from media_service.upload.headers import Disposition
from media_service.upload.model import FILE_FIELD, MAX_FIELD_BYTES, UploadLimits
from media_service.upload.multipart import Event, MultipartParser, PartBegun, PartData
from media_service.upload.schemas import UploadForm
from shared.errors import BodyTooLarge, FieldError, ValidationFailed
from shared.validation import field_errors

MAX_SHOWN_NAME = 64


async def read_form(
    body: UploadBody, boundary: bytes, staged: StagedFile, limits: UploadLimits
) -> UploadForm:
    """Return the form's fields when its closing boundary and the body's end have come.

    `file` is the name that the client gave, possibly empty; the bytes are in `staged`.

    Raises:
        MalformedRequest, BodyTooLarge, UploadTooSlow: the body is refused as it comes.
        ValidationFailed: a field is repeated, unknown, missing, too long or no text.
    """
    parser, collector = MultipartParser(boundary), _Collector(staged, limits.max_file_bytes)

    async def take(chunk: bytes) -> None:
        parser.feed(chunk)
        del chunk  # the parser has it: no second copy while the disk is waited for
        for event in parser.events():
            await collector.take(event)

    await body.deliver(take)
    parser.close()
    return collector.form()


class _Collector:
    """Puts events where they belong: file bytes to the staged file, at once; fields to memory.

    What no form of ours has is noted and dropped; the client hears of all of it at the end.
    """

    def __init__(self, staged: StagedFile, max_file_bytes: int) -> None:
        self._staged = staged
        self._max_file_bytes = max_file_bytes
        self._file_bytes = 0
        self._fields: dict[str, bytearray] = {}
        self._problems: list[FieldError] = []
        self._name: str | None = None

    async def take(self, event: Event) -> None:
        if isinstance(event, PartBegun):
            self._begin(event.disposition)
        elif isinstance(event, PartData) and self._name == FILE_FIELD:
            await self._write(event.data)
        elif isinstance(event, PartData) and self._name is not None:
            self._append(self._name, event.data)

    def form(self) -> UploadForm:
        values = {name: self._text(name) for name in self._fields}
        form, problems = _validated(values)
        named = {problem.field for problem in self._problems}
        problems = self._problems + [one for one in problems if one.field not in named]
        if form is None or problems:
            raise ValidationFailed(problems)
        return form

    def _begin(self, disposition: Disposition) -> None:
        name, self._name = disposition.name, None
        if name not in UploadForm.model_fields:
            self._problems.append(FieldError(name[:MAX_SHOWN_NAME], "unknown", "no such field"))
        elif name in self._fields:
            self._problems.append(FieldError(name, "repeated", "given more than once"))
        else:
            self._name = name
            self._fields[name] = bytearray()
            if name == FILE_FIELD:
                self._fields[name] += (disposition.file_name or "").encode("utf-8", "replace")

    async def _write(self, data: memoryview) -> None:
        self._file_bytes += len(data)
        if self._file_bytes > self._max_file_bytes:
            raise BodyTooLarge(f"a file has at most {self._max_file_bytes} bytes")
        await self._staged.write(data)

    def _append(self, name: str, data: memoryview) -> None:
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


def _validated(values: dict[str, str]) -> tuple[UploadForm | None, list[FieldError]]:
    try:
        return UploadForm.model_validate(values), []
    except ValidationError as wrong:
        return None, field_errors(wrong)
