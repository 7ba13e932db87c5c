"""Messages' texts: `templates/<language>/<name>.<channel>.txt`, rendered strictly."""

from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined

from auth_service.delivery.model import Delivery, Message

LANGUAGE = "en"


class Templates:
    """Renders deliveries; an undefined name is an error, never a gap in a message."""

    def __init__(self, shared: Mapping[str, str]) -> None:
        """`shared`: what every template may use, such as `product`."""
        self._environment = Environment(
            loader=PackageLoader("auth_service.delivery", "templates"),
            undefined=StrictUndefined,
            autoescape=False,  # noqa: S701 - plain text messages, no HTML
            keep_trailing_newline=False,
        )
        self._environment.globals.update(shared)

    def render(self, delivery: Delivery) -> Message:
        """Return the message that says it."""
        name = f"{LANGUAGE}/{delivery.template}.{delivery.channel}.txt"
        text = self._environment.get_template(name).render(delivery.parameters)
        return Message(delivery.channel, delivery.to, None, text.strip())
