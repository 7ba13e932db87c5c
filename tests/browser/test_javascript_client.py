"""The JavaScript client in a browser: tabs of one storage, cookies, passkeys, uploads."""

import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, Route

from tests.browser.conftest import open_page
from tests.browser.test_passkeys import PLATFORM, add_authenticator
from tests.local.processes import CHECKOUT

SOURCES = CHECKOUT / "clients" / "javascript" / "src"
SIGN_UP = """async ({ number, options }) => {
  window.client = await import("/client/index.js");
  window.signedOut = [];
  const onSignedOut = (error) => window.signedOut.push(error?.code ?? "asked");
  const storage = options.local ? localStorage : undefined;
  window.api = new client.Cheershare({ ...options, storage, onSignedOut });
  window.readCode = async () => {
    const to = encodeURIComponent(number);
    const answer = await fetch(`/v1/auth/dev/inbox?to=${to}&wait=20`);
    return (await answer.json()).items[0].text.slice(0, 6);
  };
  window.picture = await new Promise((done) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 900;
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(900, 900);
    pixels.data.forEach((_, index) => (pixels.data[index] = Math.random() * 256));
    context.putImageData(pixels, 0, 0);
    canvas.toBlob(done, "image/jpeg", 1);
  });
  await api.auth.signUp({ name: "Asha", phone_number: number });
  const user = await api.auth.verifySignUp({ phone_number: number, otp: await readCode() });
  return user.phone_number;
}"""
OPEN = """async () => {
  const { Cheershare } = await import("/client/index.js");
  window.signedOut = [];
  const onSignedOut = (error) => window.signedOut.push(error?.code ?? "asked");
  window.api = new Cheershare({ storage: localStorage, onSignedOut });
}"""
EXPIRE = """() => {
  const record = JSON.parse(localStorage.getItem("cheershare.session"));
  localStorage.setItem("cheershare.session", JSON.stringify({ ...record, expires_at: 0 }));
}"""
UPLOAD = """async () => {
  const seen = [];
  const onProgress = ({ loaded, total }) => seen.push(loaded / total);
  await api.creatives.upload(picture, { scheduled_at: "now" }, { onProgress });
  return seen;
}"""
ABORT = """async () => {
  const leaving = new AbortController();
  const options = { signal: leaving.signal, onProgress: () => leaving.abort(new Error("left")) };
  return api.creatives.upload(picture, { scheduled_at: "now" }, options).catch((e) => e.message);
}"""
THUMBS = """async () => {
  const { items } = await api.creatives.list();
  const thumbs = await Promise.all(items.map(({ id }) => api.creatives.file(id, "thumb")));
  return Promise.all(thumbs.map(async (thumb) => (await createImageBitmap(thumb)).width));
}"""
SLOW = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}
PASSKEYS = """async () => {
  const { factor, recovery_codes } = await api.factors.addPasskey({ name: "Laptop" });
  await api.auth.signOut();
  const alone = await api.auth.signInByPasskey();
  await api.auth.signOut();
  await api.auth.requestCode({ mobile: alone.phone_number });
  const code = { mobile: alone.phone_number, otp: await readCode() };
  const required = await api.auth.signInByCode(code).catch((error) => error);
  const proven = await api.auth.proveByPasskey(required);
  const stepUp = await api.account.requestStepUp().catch((error) => error);
  await api.account.stepUpByPasskey(stepUp);
  return [factor.kind, recovery_codes.length, required.code, proven.id === alone.id];
}"""


async def serve_client(route: Route) -> None:
    """Answer with a file of the client, or with an empty page."""
    name = route.request.url.rpartition("/")[2]
    if name:
        await route.fulfill(path=SOURCES / name, content_type="text/javascript")
    else:
        await route.fulfill(body="<!doctype html><title>app</title>", content_type="text/html")


async def open_tab(context: BrowserContext) -> Page:
    tab = await context.new_page()
    await tab.goto("/client/")
    return tab


@pytest.fixture
async def tab(address: str) -> AsyncIterator[Page]:
    """A page of the stack's own origin that can import the client."""
    async with open_page(address) as page:
        await page.context.route("**/client/*", serve_client)
        await page.goto("/client/")
        yield page


async def sign_up(tab: Page, **options: Any) -> None:
    number = f"+9198{secrets.randbelow(10**8):08d}"
    assert await tab.evaluate(SIGN_UP, {"number": number, "options": options}) == number


async def test_tabs_of_one_local_storage_stay_signed_in_over_expiries(tab: Page) -> None:
    await sign_up(tab, local=True)
    tabs = [tab, await open_tab(tab.context), await open_tab(tab.context)]
    for other in tabs[1:]:
        await other.evaluate(OPEN)
    for _ in range(10):
        await tab.evaluate(EXPIRE)
        # started in every tab before the first one is awaited
        for each in tabs:
            await each.evaluate("() => { window.call = api.account.get(); }")
        assert [await each.evaluate("async () => (await call).name") for each in tabs] == [
            "Asha",
            "Asha",
            "Asha",
        ]
    await tabs[1].close()
    sessions = "async () => (await api.account.listSessions()).items.length"
    assert await tab.evaluate(sessions) == 1
    assert await tab.evaluate("signedOut") == []
    await tabs[2].evaluate("() => api.auth.signOut()")
    assert await tab.evaluate("() => api.auth.user()") is None


async def test_page_with_cookies_keeps_its_session_over_a_reload(tab: Page) -> None:
    await sign_up(tab, transport="cookie")
    await tab.reload()
    reopened = """async () => {
      const { Cheershare } = await import("/client/index.js");
      window.api = new Cheershare({ transport: "cookie" });
      const before = (await api.auth.user()).name;
      const { name } = await api.account.update({ name: "Asha R." });
      await api.auth.signOut();
      return [before, name, await api.auth.user(), Object.keys(localStorage)];
    }"""
    assert await tab.evaluate(reopened) == ["Asha", "Asha R.", None, []]


async def test_upload_reports_progress_and_is_aborted(tab: Page) -> None:
    await sign_up(tab)
    seen = await tab.evaluate(UPLOAD)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    tools = await tab.context.new_cdp_session(tab)
    await tools.send("Network.emulateNetworkConditions", SLOW)
    assert await tab.evaluate(ABORT) == "left"
    assert await tab.evaluate(THUMBS) == [256]


async def test_browser_passkey_signs_in_alone_and_as_second_factor(tab: Page) -> None:
    await add_authenticator(tab, PLATFORM)
    await sign_up(tab)
    assert await tab.evaluate(PASSKEYS) == ["passkey", 10, "mfa_required", True]
