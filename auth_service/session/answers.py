"""Token pairs as answers: the one place where a session's tokens are handed out."""

from math import ceil

from aiohttp import web

from auth_service.resources import CLOCK, SIGNER
from auth_service.session.model import SignedIn
from auth_service.session.schemas import TokenPair
from auth_service.signing.service import Subject
from auth_service.user.schemas import UserAnswer
from shared.answer import answer


def token_pair(request: web.Request, signed_in: SignedIn, status: int = 200) -> web.Response:
    """Sign an access token for the session and answer with both tokens."""
    signer = request.app[SIGNER]
    session = signed_in.session
    subject = Subject(signed_in.user, session.id, session.amr, session.auth_time)
    left = signed_in.refresh_expires_at - request.app[CLOCK].now()
    pair = TokenPair(
        access_token=signer.sign(subject),
        expires_in=signer.life,
        refresh_token=signed_in.refresh_token,
        refresh_expires_in=max(0, ceil(left.total_seconds())),
        user=UserAnswer.model_validate(signed_in.user),
        login_at=int(session.created_at.timestamp()),
    )
    return answer(pair, status)
