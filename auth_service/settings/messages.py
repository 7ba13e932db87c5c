"""Settings of messages: their brand, language and templates, and the pages that mails link to."""

from typing import Annotated

from pydantic import AfterValidator, DirectoryPath, Field, StringConstraints

from auth_service.language import MAX_TAG_LENGTH, TAG, normalize_tag
from auth_service.settings.web_urls import WebUrl, plaintext_problems
from shared.settings import EnvironmentSettings

RESET_PAGE, ACTIVATION_PAGE = "/pages/reset-password", "/pages/activate"
"""Our own pages of mailed links, below `/v1/auth`."""
Colour = Annotated[str, StringConstraints(pattern=r"^#([0-9a-fA-F]{3}){1,2}$")]
Locale = Annotated[
    str,
    StringConstraints(max_length=MAX_TAG_LENGTH, pattern=f"^{TAG}$"),
    AfterValidator(normalize_tag),
]


class MessageSettings(EnvironmentSettings):
    """The settings of texts and pages, all that `templates preview` needs."""

    product_name: str = Field("Cheershare", description="what messages and pages call the product")
    brand_logo_url: WebUrl = Field("", description="picture at the top of mails and pages")
    brand_color: Colour = Field("#b4411f", description="colour of buttons and links")
    brand_text_color: Colour = Field("#ffffff", description="colour of the text on buttons")
    templates_dir: DirectoryPath | None = Field(
        None, description="directory of templates that replace ours or add languages"
    )
    default_locale: Locale = Field(
        "en", description="language of messages and pages when neither user nor client names one"
    )
    reset_url: WebUrl = Field(
        "",
        description="your page that sets a new password; it gets `#reset_ticket=…` "
        "(unset: a page of ours)",
    )
    activate_url: WebUrl = Field(
        "",
        description="your page that activates an account; it gets `#email=…&otp=…` "
        "(unset: a page of ours)",
    )
    sms_webotp_host: Annotated[str, StringConstraints(pattern=r"^([a-z0-9.-]+(:[0-9]+)?)?$")] = (
        Field("", description="host of your web app: ends SMS with `@host #code` (WebOTP)")
    )
    sms_android_hash: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9+/]{11})?$")] = Field(
        "", description="hash of your Android app: a line of SMS (SMS Retriever)"
    )

    def page_problems(self) -> list[str]:
        """Return a line for each page of the app that would get secrets without encryption."""
        return [
            *plaintext_problems("RESET_URL", self.reset_url),
            *plaintext_problems("ACTIVATE_URL", self.activate_url),
        ]
