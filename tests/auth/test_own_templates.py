"""The operator's templates: what they replace, and the faults that are found at the start."""

import traceback
from pathlib import Path
from typing import Any

import pytest

from auth_service.cli import main
from auth_service.delivery.errors import TemplateProblemError
from auth_service.delivery.model import Delivery
from auth_service.delivery.template_check import load_templates
from tests.support.templates import OURS, render, settings


def write(folder: Path, **files: str) -> Path:
    """A folder of templates: `write(folder, de__code__sms__txt="…")`."""
    for name, text in files.items():
        path = folder / name.replace("__", "/", 1).replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def problems(folder: Path, **changes: Any) -> list[str]:
    with pytest.raises(TemplateProblemError) as broken:
        load_templates(settings(templates_dir=folder, **changes))
    return str(broken.value).splitlines()


def test_own_template_replaces_ours_in_its_language_alone(tmp_path: Path) -> None:
    folder = write(tmp_path, de__code__sms__txt="{{ code }} ist der Code von {{ product }}.")
    own: dict[str, Any] = {"templates_dir": folder}
    assert render("code", "sms", "de", **own).text == "123456 ist der Code von Cheershare."
    assert render("code", "sms", "en", **own).text == render("code", "sms", "en").text
    assert render("code", "email", "de", **own) == render("code", "email", "de")
    assert render("reset", "sms", "de", **own) == render("reset", "sms", "de")


def test_new_language_with_one_message_serves_that_message(tmp_path: Path) -> None:
    folder = write(tmp_path, fr__code__sms__txt="{{ code }} est votre code.")
    own: dict[str, Any] = {"templates_dir": folder}
    assert render("code", "sms", "fr-CA", **own).text == "123456 est votre code."
    assert render("reset", "sms", "fr,de", **own) == render("reset", "sms", "de")


def test_own_frame_replaces_ours_in_every_mail(tmp_path: Path) -> None:
    (tmp_path / "frame.html").write_text(
        '{% include "_header.html" %}{% block content %}{% endblock %}'
    )
    (tmp_path / "_header.html").write_text("<h1>{{ product }}</h1>")
    for language in OURS:
        html = render("code", "email", language, templates_dir=tmp_path).html
        assert str(html).startswith("<h1>Cheershare</h1>")


def test_files_of_editors_and_volumes_are_no_templates(tmp_path: Path) -> None:
    write(tmp_path, **{"..2026_11/de__code__sms__txt": "{{ broken"})
    (tmp_path / "README.md").write_text("{{ broken")
    (tmp_path / ".#code.sms.txt").write_text("{{ broken")
    assert (
        load_templates(settings(templates_dir=tmp_path)).files == load_templates(settings()).files
    )


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("de/code.sms.txt", "{{ code }}\n{{ product", "de/code.sms.txt, line 2: "),
        ("de/code.sms.txt", "{{ code }}\n{% if %}", "de/code.sms.txt, line 2: "),
        (
            "de/code.sms.txt",
            "{{ code }}\n{{ brnd }}",
            "de/code.sms.txt, line 2: 'brnd' is undefined",
        ),
        (
            "de/new_sign_in.sms.txt",
            '{{ time }}{% if left_out == "0" %}\n{{ typo }}{% endif %}',
            "de/new_sign_in.sms.txt, line 2: 'typo' is undefined",
        ),
        (
            "de/code.sms.txt",
            "{{ code }}\n\n{{ 1 / 0 }}",
            "de/code.sms.txt, line 3: division by zero",
        ),
        ("de/code.sms.txt", "Hello {{ minutes }}", "de/code.sms.txt: does not show 'code'"),
        ("de/reset.email.txt", "{{ code }}", "de/reset.email.txt: does not show 'link'"),
        ("de/code.email.subject.txt", "{{ code }}\nBcc: x", "a subject has one line"),
        ("de/already_registered.sms.txt", " ", "de/already_registered.sms.txt: renders nothing"),
        (
            "de/kode.sms.txt",
            "{{ code }}",
            "no template has that name; code.sms.txt is one",
        ),
        (
            "code.sms.txt",
            "{{ code }}",
            ": code.sms.txt: no template has that name",
        ),
        ("pt_BR/code.sms.txt", "{{ code }}", "name the directory as a language tag"),
        ("fr/code.email.txt", "{{ code }}", "fr/code.email.html: missing"),
        (
            "de/code.sms.txt",
            "{{ code }}{% include 'gone.txt' %}",
            "code.sms.txt, line 1: gone.txt",
        ),
        ("frame.html", "{{ nothing }}", "frame.html, line 1: 'nothing' is undefined"),
        ("de/code.sms.txt", "{{ code }}{{ code.__class__.__mro__ }}", "unsafe"),
        ("de/code.sms.txt", "{{ code }}{% for a in range(10**9) %}{% endfor %}", "Range too big"),
    ],
)
def test_broken_template_is_found_at_the_start_with_file_and_line(
    tmp_path: Path, file: str, text: str, found: str
) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    lines = problems(tmp_path)
    assert [line for line in lines if found in line], lines
    assert all(line.startswith("TEMPLATES_DIR: ") for line in lines)
    assert str(tmp_path) not in "".join(lines)


def test_template_that_is_not_utf_8_is_found_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "code.sms.txt").write_bytes(b"{{ code }} f\xfcr")
    assert problems(tmp_path) == ["TEMPLATES_DIR: de/code.sms.txt: not UTF-8 text"]


def test_default_locale_without_templates_is_found_at_the_start() -> None:
    with pytest.raises(TemplateProblemError, match="DEFAULT_LOCALE: there are no templates for fr"):
        load_templates(settings(default_locale="fr"))


def test_template_that_fails_for_one_code_does_not_show_it(tmp_path: Path) -> None:
    folder = write(tmp_path, en__code__sms__txt='{{ code }} {{ {"123456": "x"}[code] }}')
    delivery = Delivery("1", "sms", "x", "code", {"code": "654321", "minutes": "5"}, "r")
    with pytest.raises(TemplateProblemError) as failed:
        load_templates(settings(templates_dir=folder)).render(delivery)
    assert str(failed.value) == "en/code: UndefinedError"
    assert "654321" not in "".join(traceback.format_exception(failed.value))


def test_default_locale_may_have_mails_alone(tmp_path: Path) -> None:
    mail = {"subject__txt": "{{ code }}", "txt": "{{ code }} est votre code", "html": "{{ code }}"}
    folder = write(tmp_path, **{f"fr__code__email__{part}": text for part, text in mail.items()})
    own: dict[str, Any] = {"templates_dir": folder, "default_locale": "fr"}
    assert render("code", "email", "ja", **own).text == "123456 est votre code"
    assert render("code", "sms", "ja", **own) == render("code", "sms", "en")


@pytest.mark.usefixtures("command_environment")
@pytest.mark.parametrize("command", ["serve", "worker"])
def test_start_with_a_broken_template_ends_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv(
        "TEMPLATES_DIR", str(write(tmp_path, de__code__sms__txt="{{ code }} {{ x }}"))
    )
    with pytest.raises(SystemExit) as ended:
        main([command])
    assert str(ended.value).startswith("settings: TEMPLATES_DIR: de/code.sms.txt, line 1: 'x' is")
