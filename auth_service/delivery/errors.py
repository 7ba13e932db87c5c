"""How a provider fails. These never reach an HTTP client."""


class ProviderError(Exception):
    """The provider did not take the message; another try may succeed."""


class MessageRefusedError(ProviderError):
    """The provider will never take this message."""
