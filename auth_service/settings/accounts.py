"""Settings of accounts: what answers reveal, and which names and numbers are accepted."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from auth_service.settings.regions import require_region
from shared.settings import ServiceSettings, Words

RESERVED_USERNAMES = (
    *("admin", "administrator", "root", "superuser", "sysadmin", "system", "staff", "moderator"),
    *("support", "help", "helpdesk", "security", "abuse", "info", "contact", "official"),
    *("api", "www", "mail", "postmaster", "hostmaster", "webmaster", "noreply", "mailerdaemon"),
    *("cheershare", "me", "null", "undefined", "anonymous", "everyone", "nobody"),
)
"""Names of the service, of its domain's mailboxes (RFC 2142), and of missing values."""

ContactDetail = Literal["masked", "full"]


class AccountSettings(ServiceSettings):
    """The settings of accounts."""

    account_disclosure: Literal["reveal", "conceal"] = Field(
        "reveal", description="`conceal`: no answer tells whether an account exists"
    )
    reserved_usernames: Words = Field(
        RESERVED_USERNAMES,
        description="usernames that no user may take, comma-separated; case and `.-_` do not count",
    )
    default_region: Annotated[str, AfterValidator(require_region)] = Field(
        "IN", description="region of a number without country code"
    )

    webhook_contacts: ContactDetail = Field(
        "masked",
        description="`full`: webhooks about users and messages hold whole numbers and addresses",
    )

    @property
    def conceals(self) -> bool:
        """Return whether no answer may reveal that an account exists."""
        return self.account_disclosure == "conceal"
