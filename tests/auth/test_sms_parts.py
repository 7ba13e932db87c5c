"""The parts that SMS providers get beside the text: template, language, values, sender."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
from aiohttp import ClientSession
from standardwebhooks import Webhook

from auth_service.cli import main
from docs.examples import sms_receiver
from shared.clock import SystemClock
from tests.auth.conftest import WEBHOOK_SECRET
from tests.support.providers import FakeProvider
from tests.support.waiting import until

NUMBER = "+919876543210"
HINDI = {"Accept-Language": "hi"}


async def test_webhook_gets_template_locale_parameters_and_sender(
    serving_with: Callable[..., Any], webhook: FakeProvider
) -> None:
    settings = {"sms_sender": "CHRSHR", "sms_template_ids": "code:hi=1107,code:en=1108"}
    async with serving_with("webhook", **settings) as auth:
        await auth.request_code(NUMBER, headers=HINDI)
        await webhook.received(1)
    body = json.loads(webhook.bodies[0])
    code = body["text"][:6]
    assert body == {
        "id": body["id"],
        "channel": "sms",
        "to": NUMBER,
        "text": f"{code} आपका Cheershare कोड है। 5 मिनट तक मान्य। इसे किसी को न बताएँ।",
        "template": "code",
        "locale": "hi",
        "parameters": {"code": code, "minutes": "5", "brand": "Cheershare"},
        "sender": "CHRSHR",
        "template_id": "1107",
    }


async def test_webhook_without_these_settings_gets_null(
    serving_with: Callable[..., Any], webhook: FakeProvider
) -> None:
    async with serving_with("webhook", sms_template_ids="reset:en=1") as auth:
        await auth.request_code(NUMBER)
        [message] = await webhook.received(1)
    assert (message["sender"], message["template_id"], message["locale"]) == (None, None, "en")


async def test_webhook_gets_the_values_of_a_notice(
    serving_with: Callable[..., Any], webhook: FakeProvider
) -> None:
    async with serving_with("webhook") as auth:
        for count, agent in enumerate(["Phone/1", "Laptop/1"], 1):
            sent = await auth.request_code(NUMBER)
            messages = await webhook.received(count)
            code = messages[-1]["parameters"]["code"]
            headers = {"User-Agent": agent}
            await auth.enter_code(NUMBER, code, sent.body["challenge"], headers=headers)
        notice = (await webhook.received(3))[2]
    assert notice["template"] == "new_sign_in"
    assert notice["parameters"]["device"] == "Laptop/1"
    assert "code" not in notice["parameters"]
    assert "languages" not in notice["parameters"]


async def test_twilio_fills_a_registered_template(
    serving_with: Callable[..., Any], twilio: FakeProvider
) -> None:
    sids = f"code:hi=HX{'1' * 32},code:en=HX{'2' * 32}"
    async with serving_with("twilio", twilio_content_sids=sids) as auth:
        sent = await auth.request_code(NUMBER, headers=HINDI)
        [message] = await twilio.received(1)
        assert message["ContentSid"] == f"HX{'1' * 32}"
        assert "Body" not in message
        variables = json.loads(message["ContentVariables"])
        assert variables == {"1": variables["1"], "2": "5", "3": "Cheershare"}
        assert (await auth.enter_code(NUMBER, variables["1"], sent.body["challenge"])).status == 201


async def test_twilio_gets_the_text_where_no_template_is_registered(
    serving_with: Callable[..., Any], twilio: FakeProvider
) -> None:
    async with serving_with("twilio", twilio_content_sids=f"code:hi=HX{'1' * 32}") as auth:
        await auth.request_code(NUMBER)
        [message] = await twilio.received(1)
    assert "ContentSid" not in message
    assert message["Body"].endswith("Never share it.")


async def test_sms_ends_with_the_lines_of_the_settings(
    serving_auth: Callable[..., Any],
) -> None:
    lines = {"sms_webotp_host": "app.example", "sms_android_hash": "FA+9qCX9VSu"}
    async with serving_auth(**lines) as auth:
        await auth.request_code(NUMBER)
        code = await auth.code(NUMBER)
        text = (await auth.inbox(NUMBER))[0]["text"]
    assert text.splitlines()[1:] == ["FA+9qCX9VSu", f"@app.example #{code}"]


@pytest.mark.usefixtures("command_environment")
@pytest.mark.parametrize("name", ["SMS_TEMPLATE_IDS", "TWILIO_CONTENT_SIDS"])
@pytest.mark.parametrize("given", ["kode:en=1107", "code:fr=1107"])
def test_id_of_a_template_that_there_is_not_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str
) -> None:
    monkeypatch.setenv(name, given)
    with pytest.raises(SystemExit) as ended:
        main(["serve"])
    template, _, language = given.partition("=")[0].partition(":")
    expected = f"settings: {name}: there is no template {language}/{template}.sms.txt"
    assert str(ended.value) == expected


@contextmanager
def receiver(monkeypatch: pytest.MonkeyPatch, sent: list[Any]) -> Iterator[str]:
    """The worked receiver of the documents; it hands messages to `sent`."""
    monkeypatch.setattr(sms_receiver, "SECRET", WEBHOOK_SECRET)
    monkeypatch.setattr(sms_receiver, "hand_over", sent.append)
    monkeypatch.setattr(sms_receiver.Receiver, "taken", set())
    with ThreadingHTTPServer(("127.0.0.1", 0), sms_receiver.Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


async def test_receiver_of_the_documents_takes_what_we_send(
    serving_auth: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    with receiver(monkeypatch, sent) as url:
        settings = {"sms_providers": "webhook", "sms_webhook_url": url}
        async with serving_auth(**settings, sms_webhook_secret=WEBHOOK_SECRET) as auth:
            await auth.request_code(NUMBER)
            await until(lambda: sent)
            code = sent[0]["parameters"]["code"]
            assert (await auth.enter_code(NUMBER, code)).status == 201
    assert [message["template"] for message in sent] == ["code"]


@pytest.mark.parametrize(
    ("secret", "minutes", "status"),
    [(WEBHOOK_SECRET, 0, 204), (WEBHOOK_SECRET, 10, 401), ("whsec_" + "A" * 32, 0, 401)],
)
async def test_receiver_of_the_documents_takes_a_message_of_ours_once(
    monkeypatch: pytest.MonkeyPatch, secret: str, minutes: int, status: int
) -> None:
    sent: list[Any] = []
    when = SystemClock().now() - timedelta(minutes=minutes)
    body = json.dumps({"id": "1", "to": NUMBER, "text": "x"})
    headers = {
        "webhook-id": "1",
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": Webhook(secret).sign("1", when, body),
    }
    with receiver(monkeypatch, sent) as url:
        async with ClientSession() as http:
            for _ in range(2):
                async with http.post(url, data=body, headers=headers) as answer:
                    assert answer.status == status
    assert len(sent) == (1 if status == 204 else 0)
