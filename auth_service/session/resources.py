"""Keys that handlers of other features use: the caller, sessions, and parts of credentials."""

from aiohttp import web

from auth_service.device.model import DeviceTokens
from auth_service.rate_limit.proof_of_work import ProofOfWork
from auth_service.rate_limit.usage import UsageLimits
from auth_service.session.model import Caller
from auth_service.session.service import SessionService

SESSIONS = web.AppKey("sessions", SessionService)
USAGE_LIMITS = web.AppKey("usage_limits", UsageLimits)
DEVICE_TOKENS = web.AppKey("device_tokens", DeviceTokens)
PROOF_OF_WORK = web.AppKey("proof_of_work", ProofOfWork)
CALLER = web.RequestKey("caller", Caller)
"""The caller; `authenticate` sets it before every handler that needs a signed-in user."""
