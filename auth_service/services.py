"""The services of auth_service's features, built from the parts of `wiring.py`."""

from auth_service.account.contact import ContactService
from auth_service.account.export import ExportService
from auth_service.account.lease import ExportLeases
from auth_service.account.service import AccountService
from auth_service.admin.dead_letter_service import DeadLetterAdministration
from auth_service.admin.service import UserAdministration
from auth_service.login.service import LoginService
from auth_service.password.change import PasswordChangeService
from auth_service.password.service import PasswordResetService
from auth_service.password.tickets import ResetTickets
from auth_service.purge.service import PurgeService
from auth_service.registration.activation import ActivationService
from auth_service.registration.service import RegistrationService
from auth_service.session.refresh import RefreshService
from auth_service.session.service import SessionService
from auth_service.signup.service import PhoneSignInService
from auth_service.step_up.service import StepUpService
from auth_service.wiring import Wiring


def phone_sign_in_service(wiring: Wiring) -> PhoneSignInService:
    """Return the service of `/signup`."""
    return PhoneSignInService(
        database=wiring.database,
        challenges=wiring.challenges,
        session_creator=wiring.session_creator,
        audit=wiring.audit,
        clock=wiring.clock,
        entropy=wiring.entropy,
        conceal=wiring.settings.conceals,
    )


def registration_service(wiring: Wiring) -> RegistrationService:
    """Return the service of `/register` and `/resend-otp`."""
    return RegistrationService(
        database=wiring.database,
        challenges=wiring.challenges,
        new_passwords=wiring.new_passwords,
        audit=wiring.audit,
        settings=wiring.settings,
        clock=wiring.clock,
        entropy=wiring.entropy,
    )


def activation_service(wiring: Wiring) -> ActivationService:
    """Return the service of `/verify-otp`."""
    return ActivationService(
        database=wiring.database,
        challenges=wiring.challenges,
        session_creator=wiring.session_creator,
        audit=wiring.audit,
        clock=wiring.clock,
        conceal=wiring.settings.conceals,
    )


def login_service(wiring: Wiring) -> LoginService:
    """Return the service of `/login`."""
    return LoginService(
        accounts=wiring.accounts,
        challenges=wiring.challenges,
        session_creator=wiring.session_creator,
        audit=wiring.audit,
        passwords=wiring.passwords,
        attempts=wiring.attempts,
        conceal=wiring.settings.conceals,
    )


def password_reset_service(wiring: Wiring) -> PasswordResetService:
    """Return the service of `/forgot-password`, `/verify-reset` and `/reset-password`."""
    return PasswordResetService(
        accounts=wiring.accounts,
        challenges=wiring.challenges,
        tickets=ResetTickets(wiring.database, wiring.clock, wiring.entropy),
        new_passwords=wiring.new_passwords,
        replacement=wiring.replacement,
        audit=wiring.audit,
        page=f"{wiring.settings.public_url.rstrip('/')}/console",
    )


def password_change_service(wiring: Wiring) -> PasswordChangeService:
    """Return the service of `/change-password`."""
    return PasswordChangeService(
        accounts=wiring.accounts,
        passwords=wiring.passwords,
        attempts=wiring.attempts,
        new_passwords=wiring.new_passwords,
        replacement=wiring.replacement,
        audit=wiring.audit,
    )


def session_service(wiring: Wiring) -> SessionService:
    """Return the service of `/sessions`, `/logout` and `/logout-all`."""
    return SessionService(
        database=wiring.database,
        invalidator=wiring.invalidator,
        publisher=wiring.publisher,
        audit=wiring.audit,
        usage_limits=wiring.usage_limits,
        lifetimes=wiring.lifetimes,
        clock=wiring.clock,
    )


def refresh_service(wiring: Wiring, sessions: SessionService) -> RefreshService:
    """Return the service of `/refresh`."""
    return RefreshService(
        database=wiring.database,
        sessions=sessions,
        keyring=wiring.keyring,
        device_tokens=wiring.device_tokens,
        usage_limits=wiring.usage_limits,
        lifetimes=wiring.lifetimes,
        clock=wiring.clock,
    )


def step_up_service(wiring: Wiring) -> StepUpService:
    """Return the service of `/step-up`."""
    return StepUpService(
        database=wiring.database,
        accounts=wiring.accounts,
        challenges=wiring.challenges,
        passwords=wiring.passwords,
        attempts=wiring.attempts,
        audit=wiring.audit,
        clock=wiring.clock,
    )


def account_service(wiring: Wiring) -> AccountService:
    """Return the service of `/me`."""
    return AccountService(
        database=wiring.database,
        invalidator=wiring.invalidator,
        publisher=wiring.publisher,
        audit=wiring.audit,
        clock=wiring.clock,
        reserved_usernames=wiring.settings.reserved_usernames,
    )


def contact_service(wiring: Wiring) -> ContactService:
    """Return the service of a new phone number or mail address."""
    return ContactService(
        database=wiring.database,
        challenges=wiring.challenges,
        invalidator=wiring.invalidator,
        notifications=wiring.notifications,
        audit=wiring.audit,
        clock=wiring.clock,
        conceal=wiring.settings.conceals,
    )


def export_service(wiring: Wiring) -> ExportService:
    """Return the service of `/me/export`."""
    return ExportService(
        database=wiring.database,
        leases=ExportLeases(wiring.redis, wiring.entropy),
        audit=wiring.audit,
        clock=wiring.clock,
    )


def administration(wiring: Wiring) -> UserAdministration:
    """Return the service of `/admin/users` and of the `admin` command."""
    return UserAdministration(
        database=wiring.database,
        publisher=wiring.publisher,
        invalidator=wiring.invalidator,
        audit=wiring.audit,
        lifetimes=wiring.lifetimes,
        clock=wiring.clock,
    )


def dead_letter_administration(wiring: Wiring) -> DeadLetterAdministration:
    """Return the service of `/admin/deliveries` and of the `deliveries` command."""
    return DeadLetterAdministration(wiring.dead_letters, wiring.audit)


def purge_service(wiring: Wiring) -> PurgeService:
    """Return the hourly purge, also the `purge` command."""
    return PurgeService(wiring.database, wiring.audit, wiring.clock)
