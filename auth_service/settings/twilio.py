"""Settings of the provider `twilio`."""

from pydantic import Field, SecretStr

from auth_service.settings.delivery import DeliverySettings, TemplateIds
from auth_service.settings.web_urls import WebUrl, plaintext_problems


class TwilioSettings(DeliverySettings):
    """The settings of Twilio."""

    twilio_account_sid: str = Field("", description="Twilio account")
    twilio_auth_token: SecretStr = Field(SecretStr(""), description="its token, or")
    twilio_api_key: str = Field("", description="an API key")
    twilio_api_secret: SecretStr = Field(SecretStr(""), description="with its secret")
    twilio_phone_number: str = Field("", description="sender's number, or")
    twilio_messaging_service_sid: str = Field("", description="a messaging service")
    twilio_content_sids: TemplateIds = Field(
        (),
        description="comma-separated `template:language=HX…`: content templates, which get the "
        "code as `{{1}}`, its minutes as `{{2}}` and the product as `{{3}}`",
    )
    twilio_base_url: WebUrl = Field("", description="another address of Twilio's API, for tests")

    def twilio_problems(self) -> list[str]:
        """Return a line for each setting that is missing, and for a plaintext address."""
        plain = plaintext_problems("TWILIO_BASE_URL", self.twilio_base_url)
        problems = plain if self.production else []
        missing = self._missing_twilio_settings() if "twilio" in self.sms_providers else []
        return problems + [f"{name}: required by the twilio provider" for name in missing]

    def _missing_twilio_settings(self) -> list[str]:
        missing = [] if self.twilio_account_sid else ["TWILIO_ACCOUNT_SID"]
        if self.twilio_api_key and not self.twilio_api_secret.get_secret_value():
            missing.append("TWILIO_API_SECRET")
        if not (self.twilio_auth_token.get_secret_value() or self.twilio_api_key):
            missing.append("TWILIO_AUTH_TOKEN or TWILIO_API_KEY")
        if not (self.twilio_phone_number or self.twilio_messaging_service_sid):
            missing.append("TWILIO_PHONE_NUMBER or TWILIO_MESSAGING_SERVICE_SID")
        return missing
