"""The pages that mails link to, in a real browser: in its language, and without the console."""

import asyncio

from playwright.async_api import APIResponse, Page, expect

from tests.browser.test_console import keep

OLD, NEW = "correct horse battery", "battery staple horse"


async def post(page: Page, path: str, **body: str) -> APIResponse:
    return await page.request.post(f"/v1/auth{path}", data=body)


async def newest_mail(page: Page, to: str, having: str) -> str:
    """The newest mail's text, once it is one `having` these words."""
    async with asyncio.timeout(30):
        while True:
            listed = await page.request.get("/v1/auth/dev/inbox", params={"to": to})
            texts = [str(item["text"]) for item in (await listed.json())["items"]]
            if texts and having in texts[0]:
                return texts[0]
            await asyncio.sleep(0.05)


async def mailed_link(page: Page, email: str) -> str:
    """The link in the mail to a new account whose password is forgotten."""
    await post(page, "/register", email=email, password=OLD)
    code = (await newest_mail(page, email, "activates"))[:6]
    assert (await post(page, "/verify-otp", email=email, otp=code)).status == 200
    assert (await post(page, "/forgot-password", email=email)).status == 202
    text = await newest_mail(page, email, "#reset_ticket=")
    return next(word for word in text.split() if "#reset_ticket=" in word)


async def set_password(page: Page, password: str) -> None:
    await page.get_by_label("New password", exact=True).fill(password)
    await page.get_by_role("button", name="Set the password").click()


async def test_mailed_link_sets_a_new_password_once(page: Page) -> None:
    email = "asha.rao@example.com"
    link = await mailed_link(page, email)
    await page.goto(link)
    await expect(page.get_by_role("heading", name="Set a new password")).to_be_visible()
    assert page.url == link.split("#")[0]  # the ticket is out of sight, and of the history
    await keep(page, "reset-page")
    await page.reload()
    await expect(page.get_by_role("status")).to_contain_text("This link has expired")
    await expect(page.locator("form")).to_be_hidden()
    await page.goto(link)  # opening it has consumed nothing
    await set_password(page, "password1")
    await expect(page.get_by_role("status")).to_contain_text("This password is too common")
    await set_password(page, NEW)
    await expect(page.get_by_role("status")).to_contain_text("Your password is set.")
    await expect(page.locator("form")).to_be_hidden()
    statuses = [(await post(page, "/login", email=email, password=it)).status for it in (OLD, NEW)]
    assert statuses == [401, 200]
    await page.goto(link)
    await set_password(page, NEW)
    await expect(page.get_by_role("status")).to_contain_text("This link has expired")


async def test_mailed_link_activates_an_account_in_the_browsers_language(page: Page) -> None:
    email = "ravi@example.com"
    await post(page, "/register", email=email, password=OLD)
    text = await newest_mail(page, email, "/pages/activate#")
    link = next(word for word in text.split() if "/pages/activate#" in word)
    await page.set_extra_http_headers({"Accept-Language": "de"})
    await page.goto(link)
    await keep(page, "activation-page")
    await page.get_by_role("button", name="Konto aktivieren").click()
    await expect(page.get_by_role("status")).to_contain_text("Ihr Konto ist aktiv.")
    signed_in = await post(page, "/login", email=email, password=OLD)
    assert signed_in.status == 200
    headers = {"Authorization": f"Bearer {(await signed_in.json())['access_token']}"}
    sessions = await page.request.get("/v1/auth/sessions", headers=headers)
    assert len((await sessions.json())["items"]) == 1, "the page has left no session"
    await page.goto(link)
    await page.get_by_role("button", name="Konto aktivieren").click()
    await expect(page.get_by_role("status")).to_contain_text("Dieser Link ist abgelaufen")
