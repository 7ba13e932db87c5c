"""The documentation pages in a real browser, on a telephone."""

import pytest
from playwright.async_api import Page


@pytest.mark.parametrize("path", ["/v1/auth/docs", "/v1/media/docs"])
async def test_docs_page_on_narrow_screen_needs_no_scrolling(page: Page, path: str) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto(path)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
