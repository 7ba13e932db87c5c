"""Loading the templates at the start, so that no broken one is found when a message is due."""

import traceback
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from jinja2 import FileSystemLoader, TemplateSyntaxError, meta, nodes

from auth_service.delivery.errors import TemplateProblemError
from auth_service.delivery.samples import MESSAGE_SAMPLES, PARTS, SAMPLES_BY_FILE, SHARED_PARAMETERS
from auth_service.delivery.templates import OWN_DIRECTORY, Templates, is_template
from auth_service.language import TAG_PATTERN, find_language, normalize_tag
from auth_service.settings.messages import MessageSettings

LAYOUTS = frozenset({"frame.html", "page.html"})
PARTIAL = "_"
"""Begins the name of a file that only other templates include."""


def load_templates(settings: MessageSettings) -> Templates:
    """Return the templates, each tried once if `TEMPLATES_DIR` may replace it.

    Otherwise our tests have tried them, and each is compiled when it is first used.

    Raises:
        TemplateProblemError: a template is broken, or a language lacks a part of a message.
    """
    templates = Templates(settings)
    problems = [f"TEMPLATES_DIR: {problem}" for problem in _find_problems(templates, settings)]
    languages = {file.partition("/")[0] for file in templates.files}
    available = {language.lower(): language for language in languages}
    if not problems and not find_language(available, [settings.default_locale]):
        problems.append(f"DEFAULT_LOCALE: there are no templates for {settings.default_locale}")
    if problems:
        raise TemplateProblemError("\n".join(problems))
    return templates


def _find_problems(templates: Templates, settings: MessageSettings) -> Iterator[str]:
    directory = settings.templates_dir
    if directory is None:
        return
    listed = FileSystemLoader(directory, followlinks=True).list_templates()
    names = [path for path in map(PurePosixPath, listed) if is_template(path)]
    unused = [problem for name in names if (problem := _find_unused(name))]
    broken = [
        problem
        for file in sorted(templates.files)
        for problem in _find_compile_problems(templates, file)
    ]
    yield from unused + broken
    if not broken:
        yield from _find_missing(templates)
        for file in sorted(templates.files):
            if (parameters := SAMPLES_BY_FILE.get(file.partition("/")[2])) is not None:
                yield from _find_render_problems(templates, directory, file, dict(parameters))


def _find_unused(path: PurePosixPath) -> str | None:
    """Return why nothing uses a file of that name; None if something does."""
    if path.name.startswith(PARTIAL) or str(path) in LAYOUTS:
        return None
    language, _, name = str(path).partition("/")
    if name not in SAMPLES_BY_FILE:
        near = get_close_matches(name or str(path), [*SAMPLES_BY_FILE, *LAYOUTS], n=1)
        return f"{path}: no template has that name" + (f"; {near[0]} is one" if near else "")
    if not TAG_PATTERN.fullmatch(language) or normalize_tag(language) != language:
        return f"{path}: name the directory as a language tag, such as de or pt-BR"
    return None


def _find_compile_problems(templates: Templates, file: str) -> Iterator[str]:
    """Yield the faults that show without rendering: syntax, and names that nothing defines."""
    environment = templates.environment
    try:
        environment.get_template(file)
        tree = environment.parse(_read_source(templates, file))
    except TemplateSyntaxError as wrong:
        yield f"{file}, line {wrong.lineno}: {wrong.message}"
        return
    except UnicodeDecodeError:
        yield f"{file}: not UTF-8 text"
        return
    parameters = SAMPLES_BY_FILE.get(file.partition("/")[2])
    if parameters is None:  # a layout or a partial, which renders with another file
        return
    known = SHARED_PARAMETERS | parameters.keys()
    unknown = meta.find_undeclared_variables(tree) - known
    for name in sorted(unknown):
        line = next(node.lineno for node in tree.find_all(nodes.Name) if node.name == name)
        yield f"{file}, line {line}: {name!r} is undefined; it may use {', '.join(sorted(known))}"


def _read_source(templates: Templates, file: str) -> str:
    loader = templates.environment.loader
    return loader.get_source(templates.environment, file)[0] if loader else ""


def _find_missing(templates: Templates) -> Iterator[str]:
    """Yield the parts that a language lacks, of mails that it has in part."""
    for name in MESSAGE_SAMPLES:
        parts = [f"{name}.{part}" for part in PARTS["email"]]
        languages = [set(templates.languages(part).values()) for part in parts]
        for part, having in zip(parts, languages, strict=True):
            for language in sorted(set.union(*languages) - having):
                yield f"{language}/{part}: missing, while the mail's other parts are there"


def _find_render_problems(
    templates: Templates, directory: Path, file: str, parameters: dict[str, str]
) -> Iterator[str]:
    """Yield the faults of a file that show when it is rendered."""
    try:
        text = templates.render_file(file, parameters)
    except Exception as wrong:  # noqa: BLE001 - a template's expressions may raise anything
        yield f"{_find_place(wrong, directory) or file}: {wrong}"
        return
    if not text:
        yield f"{file}: renders nothing"
    if file.endswith(".subject.txt") and len(text.splitlines()) > 1:
        yield f"{file}: a subject has one line"
    needed = {"code"} if file.endswith(("sms.txt", "email.txt")) else set()
    needed |= {"link"} if file.endswith(("reset.email.txt", "reset.email.html")) else set()
    for name in sorted(needed & parameters.keys()):
        if parameters[name] not in text:
            yield f"{file}: does not show {name!r}"


def _find_place(wrong: Exception, directory: Path) -> str | None:
    """Return the template's file and line in a traceback."""
    for frame in reversed(traceback.extract_tb(wrong.__traceback__)):
        for base in (directory, OWN_DIRECTORY):
            path = Path(frame.filename)
            if path.suffix in {".txt", ".html"} and path.is_relative_to(base):
                return f"{path.relative_to(base)}, line {frame.lineno}"
    return None
