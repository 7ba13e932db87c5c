"""The services of auth_service's features, built from the parts of `wiring.py`."""

from auth_service.account.contact import ContactService
from auth_service.account.export import ExportService
from auth_service.account.lease import ExportLeases
from auth_service.account.service import AccountService
from auth_service.admin.dead_letter_service import DeadLetterAdministration
from auth_service.admin.service import Administration
from auth_service.login.service import LoginService
from auth_service.password.change import PasswordChangeService
from auth_service.password.service import PasswordResetService
from auth_service.password.tickets import ResetTickets
from auth_service.purge.service import Purge
from auth_service.registration.activation import ActivationService
from auth_service.registration.service import RegistrationService
from auth_service.session.refresh import RefreshService
from auth_service.session.service import SessionService
from auth_service.signup.service import SignupService
from auth_service.step_up.service import StepUpService
from auth_service.wiring import Wiring


def signup_service(w: Wiring) -> SignupService:
    """Return the service of `/signup`."""
    return SignupService(
        database=w.database,
        challenges=w.challenges,
        session_creator=w.session_creator,
        audit=w.audit,
        clock=w.clock,
        entropy=w.entropy,
        conceal=w.settings.conceals,
    )


def registration_service(w: Wiring) -> RegistrationService:
    """Return the service of `/register` and `/resend-otp`."""
    return RegistrationService(
        database=w.database,
        challenges=w.challenges,
        new_passwords=w.new_passwords,
        audit=w.audit,
        settings=w.settings,
        clock=w.clock,
        entropy=w.entropy,
    )


def activation_service(w: Wiring) -> ActivationService:
    """Return the service of `/verify-otp`."""
    return ActivationService(
        database=w.database,
        challenges=w.challenges,
        session_creator=w.session_creator,
        audit=w.audit,
        clock=w.clock,
        conceal=w.settings.conceals,
    )


def login_service(w: Wiring) -> LoginService:
    """Return the service of `/login`."""
    return LoginService(
        accounts=w.accounts,
        challenges=w.challenges,
        session_creator=w.session_creator,
        audit=w.audit,
        passwords=w.passwords,
        attempts=w.attempts,
        conceal=w.settings.conceals,
    )


def password_reset_service(w: Wiring) -> PasswordResetService:
    """Return the service of `/forgot-password`, `/verify-reset` and `/reset-password`."""
    return PasswordResetService(
        accounts=w.accounts,
        challenges=w.challenges,
        tickets=ResetTickets(w.database, w.clock, w.entropy),
        new_passwords=w.new_passwords,
        replacement=w.replacement,
        audit=w.audit,
        page=f"{w.settings.public_url.rstrip('/')}/console",
    )


def password_change_service(w: Wiring) -> PasswordChangeService:
    """Return the service of `/change-password`."""
    return PasswordChangeService(
        accounts=w.accounts,
        passwords=w.passwords,
        attempts=w.attempts,
        new_passwords=w.new_passwords,
        replacement=w.replacement,
        audit=w.audit,
    )


def session_service(w: Wiring) -> SessionService:
    """Return the service of `/sessions`, `/logout` and `/logout-all`."""
    return SessionService(
        database=w.database,
        invalidator=w.invalidator,
        publisher=w.publisher,
        audit=w.audit,
        usage_limits=w.usage_limits,
        lifetimes=w.lifetimes,
        clock=w.clock,
    )


def refresh_service(w: Wiring, sessions: SessionService) -> RefreshService:
    """Return the service of `/refresh`."""
    return RefreshService(
        database=w.database,
        sessions=sessions,
        keyring=w.keyring,
        device_tokens=w.device_tokens,
        usage_limits=w.usage_limits,
        lifetimes=w.lifetimes,
        clock=w.clock,
    )


def step_up_service(w: Wiring) -> StepUpService:
    """Return the service of `/step-up`."""
    return StepUpService(
        database=w.database,
        accounts=w.accounts,
        challenges=w.challenges,
        passwords=w.passwords,
        attempts=w.attempts,
        audit=w.audit,
        clock=w.clock,
    )


def account_service(w: Wiring) -> AccountService:
    """Return the service of `/me`."""
    return AccountService(
        database=w.database,
        invalidator=w.invalidator,
        publisher=w.publisher,
        audit=w.audit,
        clock=w.clock,
        reserved_usernames=w.settings.reserved_usernames,
    )


def contact_service(w: Wiring) -> ContactService:
    """Return the service of a new phone number or mail address."""
    return ContactService(
        database=w.database,
        challenges=w.challenges,
        invalidator=w.invalidator,
        notifications=w.notifications,
        audit=w.audit,
        clock=w.clock,
        conceal=w.settings.conceals,
    )


def export_service(w: Wiring) -> ExportService:
    """Return the service of `/me/export`."""
    return ExportService(
        database=w.database,
        leases=ExportLeases(w.redis, w.entropy),
        audit=w.audit,
        clock=w.clock,
    )


def administration(w: Wiring) -> Administration:
    """Return the service of `/admin/users` and of the `admin` command."""
    return Administration(
        database=w.database,
        publisher=w.publisher,
        invalidator=w.invalidator,
        audit=w.audit,
        lifetimes=w.lifetimes,
        clock=w.clock,
    )


def dead_letter_administration(w: Wiring) -> DeadLetterAdministration:
    """Return the service of `/admin/deliveries` and of the `deliveries` command."""
    return DeadLetterAdministration(w.dead_letters, w.audit)


def purge(w: Wiring) -> Purge:
    """Return the hourly purge, also the `purge` command."""
    return Purge(w.database, w.audit, w.clock)
