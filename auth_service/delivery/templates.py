"""Templates of messages and pages: `templates/<language>/<name>.<channel>.<part>`.

`TEMPLATES_DIR` has the same layout. A file there replaces ours, and a directory adds a language.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment

from auth_service.delivery.errors import TemplateProblemError
from auth_service.delivery.model import LANGUAGES, Delivery, Message
from auth_service.delivery.samples import PARTS
from auth_service.language import find_language
from auth_service.settings.messages import MessageSettings

SUFFIXES = frozenset({".txt", ".html"})
OWN_DIRECTORY = Path(__file__).parent / "templates"


class Templates:
    """Renders messages and pages; an undefined name is an error, never a gap in a text.

    A text message has a `txt`; a mail also has a `subject.txt` and an `html`, which is escaped.
    """

    def __init__(self, settings: MessageSettings) -> None:
        """Use the templates that `settings` name; `load_templates` checks them too."""
        self._settings = settings
        self._shared = {
            "product": settings.product_name,
            "logo_url": settings.brand_logo_url,
            "color": settings.brand_color,
            "text_color": settings.brand_text_color,
        }
        self.environment, self.files = _read(settings.templates_dir)

    def render(self, delivery: Delivery, own_locale: str | None = None) -> Message:
        """Return the message in the recipient's own language, else one that the client prefers.

        Raises:
            TemplateProblemError: a template fails for these values; its text holds none of them.
        """
        name, channel = delivery.template, delivery.channel
        preferred = delivery.parameters.get(LANGUAGES, "").split(",")
        parts = [f"{name}.{part}" for part in PARTS[channel]]
        locale = self.choose_language(parts[0], [own_locale or "", *preferred])
        try:
            texts = [self.render_file(f"{locale}/{part}", delivery.parameters) for part in parts]
        except Exception as wrong:  # noqa: BLE001 - an expression may raise anything
            # its text may hold the code, and it is logged
            raise TemplateProblemError(f"{locale}/{name}: {type(wrong).__name__}") from None
        if channel == "sms":
            code_lines = self._code_lines(delivery.parameters.get("code"))
            subject, text, html = None, "\n".join([*texts, *code_lines]), None
        else:
            subject, text, html = texts
        return Message(
            id=delivery.id,
            channel=channel,
            to=delivery.to,
            subject=subject,
            text=text,
            html=html,
            template=name,
            locale=locale,
            parameters=self._shown_parameters(delivery.parameters),
        )

    def _shown_parameters(self, parameters: Mapping[str, str]) -> dict[str, str]:
        shown = {name: value for name, value in parameters.items() if value and name != LANGUAGES}
        return {**shown, "brand": self._settings.product_name}

    def render_page(self, name: str, languages: Iterable[str], nonce: str) -> str:
        """Return a page in one of these languages, or else the default one."""
        file = f"{name}.page.html"
        return self.render_file(f"{self.choose_language(file, languages)}/{file}", {"nonce": nonce})

    def render_file(self, file: str, parameters: Mapping[str, str]) -> str:
        """Return one file as text; its directory is its language."""
        values = {**self._shared, "locale": file.partition("/")[0], **parameters}
        return self.environment.get_template(file).render(values).strip()

    def choose_language(self, file: str, preferred: Iterable[str]) -> str:
        """Return the language to render a file in, which has that file."""
        available = self.languages(file)
        found = find_language(available, [*preferred, self._settings.default_locale])
        return found or available["en"]

    def languages(self, file: str) -> dict[str, str]:
        """Return the languages that have a file, by their tag in lower case."""
        found = [path.partition("/")[0] for path in self.files if path.endswith(f"/{file}")]
        return {language.lower(): language for language in found}

    def _code_lines(self, code: str | None) -> list[str]:
        """Return the lines by which phones recognise a code and its app; WebOTP's is the last.

        Source: WICG, "Origin-bound one-time codes delivered via SMS".
        """
        if code is None:
            return []
        host, android = self._settings.sms_webotp_host, self._settings.sms_android_hash
        return [*([android] if android else []), *([f"@{host} #{code}"] if host else [])]


def is_template(path: PurePosixPath) -> bool:
    """Return whether a file is a template, and not an editor's or a mounted volume's own."""
    return path.suffix in SUFFIXES and not any(part.startswith(".") for part in path.parts)


@cache
def _read(directory: Path | None) -> tuple[ImmutableSandboxedEnvironment, frozenset[str]]:
    """Return the environment of the process, which reads each template once, and its templates."""
    loaders: list[BaseLoader] = []
    if directory:
        loaders.append(FileSystemLoader(directory, followlinks=True))
    environment = ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([*loaders, FileSystemLoader(OWN_DIRECTORY)]),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    listed = map(PurePosixPath, environment.list_templates())
    return environment, frozenset(str(path) for path in listed if is_template(path))
