"""The console in a real browser: the whole job, and what it says when something is refused."""

import asyncio
from datetime import datetime, timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from playwright.async_api import FilePayload, Page, expect

from tests.browser.conftest import SCREENSHOTS

TITLE = "<b>Diwali</b> & co"


def photograph(share: float = 1) -> FilePayload:
    image = Image.linear_gradient("L").resize((640, 480)).convert("RGB")
    into = BytesIO()
    image.save(into, "JPEG")
    content = into.getvalue()
    return {
        "name": "photo.jpg",
        "mimeType": "image/jpeg",
        "buffer": content[: int(len(content) * share)],
    }


async def keep(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


async def codes_of(page: Page, number: str) -> list[str]:
    """Every code that was sent there, the newest first; notices are passed over."""
    listed = await page.request.get("/v1/auth/dev/inbox", params={"to": number})
    texts = [str(item["text"]) for item in (await listed.json())["items"]]
    return [text[:6] for text in texts if text[:6].isdigit()]


async def code_of(page: Page, number: str) -> str:
    before = len(await codes_of(page, number))
    await page.get_by_label("Number").fill(number)
    await page.get_by_role("button", name="Send a code").click()
    await expect(page.get_by_role("status")).to_contain_text("A code was sent")
    inbox = await page.get_by_text("Read it in the inbox").get_attribute("href")
    assert inbox
    assert (await page.request.get(inbox)).ok
    async with asyncio.timeout(30):  # it is on its way: until then the newest is an older one
        while len(codes := await codes_of(page, number)) == before:
            await asyncio.sleep(0.05)
    return codes[0]


async def sign_in(page: Page, number: str) -> None:
    await page.goto("/console")
    await page.get_by_label("Code").fill(await code_of(page, number))
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("status")).to_have_text("Signed in.")


async def test_console_signs_in_uploads_and_signs_out(page: Page) -> None:
    await sign_in(page, "+919876500001")
    await expect(page.get_by_role("heading", name="Hello, Asha")).to_be_visible()
    await page.get_by_label("Picture").set_input_files(photograph())
    await page.get_by_label("Title").fill(TITLE)
    today = datetime.now(ZoneInfo("Asia/Kolkata")).date().isoformat()
    assert await page.get_by_label("Day").input_value() == today
    await page.get_by_role("button", name="Upload").click()
    shown = page.locator("#today").get_by_role("img", name=TITLE)
    await expect(shown).to_be_visible()
    assert await shown.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    await expect(page.locator("#today")).to_contain_text(TITLE)
    await keep(page, "console-signed-in")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("status")).to_contain_text("Signed out.")
    await expect(page.locator("#signed-in")).to_be_hidden()
    await keep(page, "console-signed-out")


async def test_console_picture_for_a_later_day_names_its_day(page: Page) -> None:
    await page.set_viewport_size({"width": 1000, "height": 800})
    await sign_in(page, "+919876500004")
    for label in ("Picture", "Day", "Title"):
        text = await page.locator("label", has_text=label).bounding_box()
        box = await page.get_by_label(label).bounding_box()
        assert text
        assert box
        assert text["y"] <= box["y"] < box["y"] + box["height"] <= text["y"] + text["height"] + 1
        assert text["height"] < 1.5 * box["height"], "one line"
    day = (datetime.now(ZoneInfo("Asia/Kolkata")).date() + timedelta(days=3)).isoformat()
    await page.get_by_label("Picture").set_input_files(photograph())
    await page.get_by_label("Day").fill(day)
    await page.get_by_role("button", name="Upload").click()
    told = f"Scheduled for {day}. It shows here from the day before."
    await expect(page.get_by_role("status")).to_have_text(told)
    for width in (390, 320):
        await page.set_viewport_size({"width": width, "height": 844})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await keep(page, "console-narrow")


async def test_console_stopped_stack_is_reported(page: Page) -> None:
    await page.goto("/console")
    await page.route("**/v1/**", lambda route: route.abort("connectionrefused"))
    await page.get_by_role("button", name="Send a code").click()
    await expect(page.get_by_role("status")).to_contain_text("Nothing answers at this address.")


async def test_console_session_revoked_elsewhere_returns_to_sign_in(
    page: Page, address: str
) -> None:
    number = "+919876500002"
    await sign_in(page, number)
    assert page.context.browser
    elsewhere = await page.context.browser.new_context(base_url=address)
    other = await elsewhere.new_page()
    await sign_in(other, number)
    devices = other.locator("#sessions li")
    await expect(devices).to_have_count(2)
    await devices.get_by_role("button", name="Sign out").click()
    await expect(devices).to_have_count(1)
    await elsewhere.close()
    await page.get_by_role("button", name="Sign out").click()  # a request like any other
    await expect(page.locator("#signed-out")).to_be_visible()


async def test_console_error_shows_its_code_and_allows_a_retry(page: Page) -> None:
    await page.goto("/console")
    code = await code_of(page, "+919876500003")
    await page.get_by_label("Code").fill(f"{(int(code) + 1) % 1_000_000:06}")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("status")).to_contain_text("(otp_invalid)")
    await keep(page, "console-refused")
    await page.get_by_label("Code").fill(code)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Hello, Asha")).to_be_visible()
    await page.get_by_label("Picture").set_input_files(photograph(0.7))
    await page.get_by_role("button", name="Upload").click()
    await expect(page.get_by_role("status")).to_contain_text("(broken_image)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_start_page_links_to_the_console(page: Page, scheme: str) -> None:
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    await page.goto("/")
    await keep(page, f"start-{scheme}")
    await page.get_by_role("link", name="Console").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
