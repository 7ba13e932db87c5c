"""Our templates: each in every language, its size as an SMS, and its language."""

from pathlib import Path

import pytest

from auth_service.cli import main
from auth_service.delivery.model import Delivery
from auth_service.delivery.preview import render_samples
from auth_service.delivery.samples import MESSAGE_SAMPLES, PAGE_SAMPLES, SAMPLES_BY_FILE
from auth_service.delivery.sms_segments import SmsSize, measure_sms
from auth_service.delivery.template_check import load_templates
from tests.support.templates import OURS, render, settings

LAST_LINES = {"sms_webotp_host": "app.cheershare.example", "sms_android_hash": "FA+9qCX9VSu"}


def test_templates_cover_every_language_and_file() -> None:
    files = load_templates(settings()).files
    assert {file for file in files if "/" in file} == {
        f"{tag}/{name}" for tag in OURS for name in SAMPLES_BY_FILE
    }


@pytest.mark.parametrize("language", OURS)
@pytest.mark.parametrize("template", MESSAGE_SAMPLES)
def test_templates_render_every_message_in_every_language(template: str, language: str) -> None:
    brand = {"product_name": "Cheers & Share", "brand_color": "#123abc"}
    sms = render(template, "sms", language, **brand)
    mail = render(template, "email", language, **brand)
    for text in (sms.text, mail.text, mail.subject):
        assert "Cheers & Share" in str(text)
    assert mail.html
    assert f'<html lang="{language}">' in mail.html
    assert "Cheers &amp; Share" in mail.html
    assert "\n" not in str(mail.subject)
    if "code" in MESSAGE_SAMPLES[template]:
        assert sms.text.startswith("123456")
        assert mail.text.startswith("123456")
        assert ">123456<" in mail.html
    if "link" in MESSAGE_SAMPLES[template]:
        link = MESSAGE_SAMPLES[template]["link"]
        assert f"\n{link}\n" in mail.text
        assert f'href="{link.replace("&", "&amp;")}"' in mail.html
        assert "#123abc" in mail.html


def test_templates_of_languages_differ_in_every_text() -> None:
    samples = dict(render_samples(load_templates(settings())))
    for name in SAMPLES_BY_FILE:
        assert len({samples[f"{tag}/{name}"] for tag in OURS}) == len(OURS), name


@pytest.mark.parametrize("language", OURS)
@pytest.mark.parametrize("template", MESSAGE_SAMPLES)
def test_sms_takes_one_segment_in_gsm_7_and_at_most_two_otherwise(
    template: str, language: str
) -> None:
    size = measure_sms(render(template, "sms", language).text)
    assert size.segments <= (1 if size.encoding == "GSM-7" else 2), size
    if language in {"en", "de"}:
        assert size.encoding == "GSM-7"


@pytest.mark.parametrize("language", OURS)
def test_sms_with_the_lines_of_browser_and_android_stays_as_short(language: str) -> None:
    text = render("code", "sms", language, **LAST_LINES).text
    assert text.splitlines()[1:] == ["FA+9qCX9VSu", "@app.cheershare.example #123456"]
    size = measure_sms(text)
    assert size.segments <= (1 if size.encoding == "GSM-7" else 2), size


def test_last_lines_are_in_sms_with_a_code_alone() -> None:
    assert "@" not in render("new_sign_in", "sms", "en", **LAST_LINES).text
    assert "#123456" not in render("code", "email", "en", **LAST_LINES).text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("a" * 160, SmsSize("GSM-7", 160, 1)),
        ("a" * 161, SmsSize("GSM-7", 161, 2)),
        ("a" * 307, SmsSize("GSM-7", 307, 3)),
        ("€" * 80, SmsSize("GSM-7", 160, 1)),
        ("ó" * 70, SmsSize("UCS-2", 70, 1)),
        ("ó" * 71, SmsSize("UCS-2", 71, 2)),
        ("😀" * 36, SmsSize("UCS-2", 72, 2)),
    ],
)
def test_segments_are_counted_as_carriers_do(text: str, size: SmsSize) -> None:
    assert measure_sms(text) == size


def test_hostile_parameters_stay_text_in_html() -> None:
    hostile = "<script>alert(1)</script>"
    parameters = {**MESSAGE_SAMPLES["new_sign_in"], "device": hostile}
    delivery = Delivery("1", "email", "x", "new_sign_in", parameters, "r")
    message = load_templates(settings(product_name=hostile)).render(delivery)
    assert "<script>" not in str(message.html)
    assert hostile in message.text


def test_templates_of_two_services_name_their_own_product() -> None:
    first, second = (render("code", "email", "en", product_name=name) for name in ("One", "Two"))
    for message, own, other in ((first, "One", "Two"), (second, "Two", "One")):
        for part in (message.subject, message.text, message.html):
            assert (own in str(part), other in str(part)) == (True, False)


def test_logo_is_in_mails_and_pages() -> None:
    logo = "https://cdn.example/logo.png"
    assert f'<img src="{logo}"' in str(render("code", "email", "en", brand_logo_url=logo).html)
    page = load_templates(settings(brand_logo_url=logo)).render_page("activate", ["en"], "n")
    assert f'<img src="{logo}"' in page


@pytest.mark.parametrize("name", PAGE_SAMPLES)
@pytest.mark.parametrize("language", OURS)
def test_templates_render_every_page_in_every_language(name: str, language: str) -> None:
    page = load_templates(settings()).render_page(name, [language], "bm9uY2U=")
    assert f'<html lang="{language}">' in page
    assert page.count("<script") == page.count('<script nonce="bm9uY2U=">') == 1
    assert page.count("<style") == page.count('<style nonce="bm9uY2U=">') == 1
    assert "style=" not in page


@pytest.mark.parametrize(
    ("own", "client", "default", "chosen"),
    [
        ("de", "hi,en", "en", "de"),
        (None, "hi,en", "en", "hi"),
        ("fr", "es-MX", "en", "es"),
        (None, "fr,ja", "de", "de"),
        (None, "", "en", "en"),
        ("de-CH", "", "en", "de"),
        (None, "", "de-DE", "de"),
    ],
)
def test_language_is_the_users_then_the_clients_then_the_default(
    own: str | None, client: str, default: str, chosen: str
) -> None:
    message = render("code", "email", client, own, default_locale=default)
    assert f'<html lang="{chosen}">' in str(message.html)


def test_queued_delivery_of_the_previous_release_renders() -> None:
    parameters = {"code": "123456", "minutes": "5", "link": ""}
    delivery = Delivery("1", "email", "x", "activate", parameters, "r")
    assert load_templates(settings()).render(delivery).text.startswith("123456 activates")


def test_preview_needs_no_other_setting_and_shows_every_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("REDIS_URL", "SECRET_KEYS", "TEMPLATES_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert main(["templates", "preview"]) == 0
    shown = capsys.readouterr().out
    assert "--- en/code.sms.txt (GSM-7, 75 characters, 1 segment(s))\n123456 is your" in shown
    for language in OURS:
        for name in SAMPLES_BY_FILE:
            assert (f"--- {language}/{name}" in shown) is not name.endswith(".html")


def test_preview_writes_every_file(tmp_path: Path) -> None:
    assert main(["templates", "preview", str(tmp_path)]) == 0
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")}
    assert written == {f"{language}/{name}" for language in OURS for name in SAMPLES_BY_FILE}
    assert "123456" in (tmp_path / "hi" / "code.email.html").read_text()
