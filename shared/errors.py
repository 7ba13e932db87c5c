"""Domain errors: each has a stable code, a status and a title. Nothing here knows aiohttp."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

from shared.sizes import show_size


class DomainError(Exception):
    """A refusal with a name that clients can rely on; `shared.problem` turns it into an answer.

    A subclass sets `code` (snake_case, never changed), `status` and `title`; `advice`, where there
    is some, is what a client may do about it.
    """

    code: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[str]
    advice: ClassVar[str | None] = None

    def __init__(self, detail: str | None = None, *, reason: str | None = None) -> None:
        """Keep `detail`, a sentence for this one occurrence; never the client's own input.

        `reason` says more to developers: with `ENV=development` it is answered in its place.
        """
        self.detail = detail or self.advice
        self.reason = reason
        super().__init__(self.detail or self.title)

    def members(self) -> dict[str, object]:
        """Return what this error adds to the problem's members (RFC 9457 §3.2)."""
        return {}

    def headers(self) -> dict[str, str]:
        """Return the headers that the answer must carry."""
        return {}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field, by its dotted path."""

    field: str
    code: str
    message: str


class MalformedRequest(DomainError):
    """The request breaks the protocol or the form that the route takes."""

    code, status, title = "malformed_request", 400, "The request cannot be understood"


class MalformedJson(DomainError):
    """The body is no JSON that has one meaning."""

    code, status, title = "malformed_json", 400, "The body is not valid JSON"


class Unauthorized(DomainError):
    """Base of every 401: the request has no valid credential (RFC 6750 §3)."""

    status = 401
    challenge: ClassVar[str] = 'Bearer realm="cheershare"'

    def headers(self) -> dict[str, str]:
        """Name the scheme that would be accepted (RFC 9110 §11.6.1)."""
        return {"WWW-Authenticate": self.challenge}


class TokenMissing(Unauthorized):
    """No access token was sent."""

    code, title = "token_missing", "Sign in first"
    advice = "Send `Authorization: Bearer` and an access token, or a browser's cookie"


class TokenInvalid(Unauthorized):
    """The access token is not one of ours, or has expired."""

    code, title = "token_invalid", "The access token is not valid"
    advice = "The access token is not one of ours, or has expired: refresh it"
    challenge = 'Bearer realm="cheershare", error="invalid_token"'


class TokenRevoked(TokenInvalid):
    """The access token was ours and has been cut off."""

    code, title = "token_revoked", "The access token has been revoked"
    advice = "The access token has been revoked; sign in again"


class Forbidden(DomainError):
    """The caller has signed in, but lacks the permission."""

    code, status, title = "forbidden", 403, "Not allowed"


class CsrfFailed(DomainError):
    """The request has cookies, but no proof that one of our own pages sent it."""

    code, status, title = "csrf_failed", 403, "Not asked for by this site's own pages"


class NotFound(DomainError):
    """There is no such resource, or another user owns it."""

    code, status, title = "not_found", 404, "Not found"


class MethodNotAllowed(DomainError):
    """The path exists, the method does not."""

    code, status, title = "method_not_allowed", 405, "Method not allowed"

    def __init__(self, allowed: Sequence[str]) -> None:
        self.allowed = ", ".join(sorted(allowed))
        super().__init__(f"This path takes {self.allowed}")

    def headers(self) -> dict[str, str]:
        """List what is allowed (RFC 9110 §10.2.1)."""
        return {"Allow": self.allowed}


class RequestTimeout(DomainError):
    """The client took too long to send what it announced."""

    code, status, title = "request_timeout", 408, "The request took too long to arrive"


class Conflict(DomainError):
    """The resource's state does not allow it, or another user has the requested name or number."""

    code, status, title = "conflict", 409, "Conflict"


class VersionMismatch(DomainError):
    """The resource has changed since the client read it (RFC 9110 §13.1.1)."""

    code, status, title = "version_mismatch", 412, "It was changed in the meantime"

    def __init__(self, current_version: int | None = None) -> None:
        version = f"It has version {current_version}: read it, and send that in If-Match"
        super().__init__(None if current_version is None else version)
        self.current_version = current_version

    def members(self) -> dict[str, object]:
        """Return `current_version`; a file has none."""
        return {} if self.current_version is None else {"current_version": self.current_version}


class PreconditionRequired(DomainError):
    """The request must name the version that it changes (RFC 6585 §3)."""

    code, status, title = "precondition_required", 428, "Send If-Match with the version you know"


class BodyTooLarge(DomainError):
    """More bytes than the route takes."""

    code, status, title = "body_too_large", 413, "The body is too large"

    @classmethod
    def of(cls, what: str, limit: int, sent: int | None = None) -> "BodyTooLarge":
        """Return the error for more bytes than `limit`, of which `sent` may not be known."""
        size = show_size(sent, round_up=True) if sent else "more"
        return cls(f"{what} has at most {show_size(limit)}, and this one has {size}")


class UnsupportedMediaType(DomainError):
    """A content type or encoding that the route does not take."""

    code, status, title = "unsupported_media_type", 415, "Unsupported content type"


class UnsupportedEncoding(UnsupportedMediaType):
    """A body with a content encoding; none is taken."""

    advice = "Send the body without Content-Encoding"

    def headers(self) -> dict[str, str]:
        """Name what is taken instead (RFC 9110 §15.5.16)."""
        return {"Accept-Encoding": "identity"}


class ValidationFailed(DomainError):
    """Fields are missing, unknown, mistyped or out of range; all of them are named at once."""

    code, status, title = "validation_failed", 422, "Some fields are not valid"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__()
        self.errors = errors

    def members(self) -> dict[str, object]:
        """Return `errors: [{field, code, message}]`."""
        return {"errors": [asdict(error) for error in self.errors]}


class HeadersTooLarge(DomainError):
    """The request line or a header is longer than the server reads (RFC 6585 §5)."""

    code, status, title = "headers_too_large", 431, "The request's header is too large"


class Retriable(DomainError):
    """Base of temporary refusals; `retry_after` is in seconds."""

    def __init__(self, retry_after: int = 1, detail: str | None = None) -> None:
        """Keep how many seconds to wait, at least one."""
        super().__init__(detail)
        self.retry_after = max(1, retry_after)

    def members(self) -> dict[str, object]:
        """Return `retry_after`, in seconds."""
        return {"retry_after": self.retry_after}

    def headers(self) -> dict[str, str]:
        """Say the same to clients that read headers (RFC 9110 §10.2.3)."""
        return {"Retry-After": str(self.retry_after)}


class RateLimited(Retriable):
    """A limit is reached; `limit` is the setting that holds its number."""

    code, status, title = "rate_limited", 429, "Too many requests"

    def __init__(self, limit: str, retry_after: int = 1, detail: str | None = None) -> None:
        super().__init__(retry_after, detail)
        self.limit = limit
        self.detail = detail or f"Too many requests; try again in {self.retry_after} s"

    def members(self) -> dict[str, object]:
        """Return the limit too, so that the client's developer knows which one it was."""
        return {**super().members(), "limit": self.limit}


class ServiceUnavailable(Retriable):
    """A server that the answer needs cannot be reached; nothing was done."""

    code, status, title = "service_unavailable", 503, "Temporarily unavailable"


class InternalError(DomainError):
    """A bug: logged with a traceback, answered without it."""

    code, status, title = "internal_error", 500, "Internal error"
