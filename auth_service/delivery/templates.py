"""Message templates: `templates/<language>/<name>.<channel>.<part>`, rendered strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from auth_service.delivery.model import Delivery, Message

LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Templates:
    """Renders deliveries; an undefined name is an error, never a gap in a message.

    A text message has a `txt`; a mail also has a `subject.txt` and an `html`, which is escaped.
    `shared`: the values for every template, such as `product`.
    """

    shared: Mapping[str, str]

    def render(self, delivery: Delivery) -> Message:
        """Return the rendered message."""
        mail = delivery.channel == "email"
        return Message(
            id=delivery.id,
            channel=delivery.channel,
            to=delivery.to,
            subject=self._part(delivery, "subject.txt") if mail else None,
            text=self._part(delivery, "txt"),
            html=self._part(delivery, "html") if mail else None,
        )

    def _part(self, delivery: Delivery, part: str) -> str:
        name = f"{LANGUAGE}/{delivery.template}.{delivery.channel}.{part}"
        values = {**self.shared, **delivery.parameters}
        return _environment().get_template(name).render(values).strip()


@cache
def _environment() -> Environment:
    """Return the environment with every template, read once in a process."""
    environment = Environment(
        loader=PackageLoader("auth_service.delivery", "templates"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    for name in environment.list_templates():
        environment.get_template(name)
    return environment
