"""Where a user is known to be: at verified addresses alone."""

from datetime import UTC, datetime
from uuid import UUID

from auth_service.destination import Destination
from auth_service.user.model import User

PHONE, MAIL = Destination("sms", "+919876543210"), Destination("email", "asha@example.com")


def user(*, phone: bool, mail: bool) -> User:
    return User(
        id=UUID(int=1),
        username="asha",
        name="Asha",
        first_name=None,
        last_name=None,
        email=MAIL.address,
        email_verified=mail,
        phone_number=PHONE.address,
        phone_verified=phone,
        roles=(),
        status="active",
        generation=0,
        last_login_at=None,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        version=1,
    )


def test_user_destination_is_the_first_verified_one_asked_for() -> None:
    both = user(phone=True, mail=True)
    assert both.destination("sms", "email") == PHONE
    assert both.destination("email", "sms") == MAIL
    assert both.destinations("email", "sms") == [MAIL, PHONE]
    assert both.addresses == [PHONE.address, MAIL.address]


def test_user_unverified_address_is_no_destination() -> None:
    at_mail, nowhere = user(phone=False, mail=True), user(phone=False, mail=False)
    assert at_mail.destination("sms", "email") == MAIL
    assert at_mail.destination("sms") is None
    assert nowhere.destination("email", "sms") is None
    assert nowhere.addresses == []
