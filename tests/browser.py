"""Pages as a reader sees them: a headless Chromium that opens local files, has no network, and says what went wrong.

Chromium is the system's; where there is none, tests that ask for `open_page` are skipped. One browser serves the tests
of a module and ends with it, so that no event loop and no process outlives the tests that need them.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request, Route

PHONE = (360, 740)
"""Width and height in CSS pixels of a small phone."""

DESKTOP = (1280, 900)

_SPARED = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "SpareRendererForSitePerProcess"),
    *("AimEnabled", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "LensOverlay", "MediaRouter"),
    *("NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch"),
)
"""Features that each window would start processes for, a third of what a page costs: the list below the address bar,
which nobody sees; and those that Playwright leaves out, whose own list this one replaces."""

_ARGUMENTS = ("--no-sandbox", f"--disable-features={','.join(_SPARED)}")

_LOCAL = ("file:", "data:", "blob:", "about:")

_UNREADABLE = (Path(__file__).parent / "browser_contrast.js").read_text(encoding="utf-8")


class Opened(NamedTuple):
    """A page that is open.

    Attributes:
        page: Playwright's, for clicks, keys and whatever else a reader does.
        errors: messages of the console that are errors or warnings, and exceptions that no script caught.
        requests: addresses outside of this machine that the page has asked for; none was answered.
    """

    page: Page
    errors: list[str]
    requests: list[str]

    @property
    def overflow(self) -> int:
        """CSS pixels by which the page is wider than its window."""
        found: int = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return found

    def unreadable(self) -> list[str]:
        """Texts with less contrast to what is behind them than WCAG 2.2 AA asks for, each with its ratio.

        Text needs 4.5 to 1, large text 3 to 1 (success criterion 1.4.3).
        """
        found: list[str] = self.page.evaluate(_UNREADABLE)
        return found

    def wait_until(self, condition: str, seconds: float = 20.0) -> None:
        """Waits for a JavaScript expression to hold; Playwright's own wait needs what a page's policy may forbid."""
        deadline = time.monotonic() + seconds
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, f"never came true: {condition}"
            self.page.wait_for_timeout(50)

    def screenshot(self, path: Path) -> Path:
        """Writes the whole page as PNG."""
        self.page.screenshot(path=path, full_page=True)
        return path

    def pdf(self) -> bytes:
        """The page as it is printed on A4."""
        return self.page.pdf(format="A4")

    def assert_quiet(self) -> None:
        """No error has occurred, and nothing was asked for."""
        assert (self.requests, self.errors) == ([], [])


class OpenPage(Protocol):
    """Opens a local HTML file in a window of its own.

    `colours` is the reader's preference, `window` is width and height in CSS pixels, and without `scripts` none runs.
    """

    def __call__(
        self,
        path: Path,
        *,
        colours: Literal["light", "dark"] = "light",
        window: tuple[int, int] = DESKTOP,
        scripts: bool = True,
    ) -> Opened: ...


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A headless Chromium; the test is skipped where there is none."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on PATH, and pages are tested in one")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  a fifth of a second for the tests that need it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The Chromium of a module's tests."""
    with running_browser() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Opens files; every window is closed after the test."""
    contexts = []

    def open_(path: Path, *, colours: Any = "light", window: tuple[int, int] = DESKTOP, scripts: bool = True) -> Opened:
        width, height = window
        context = browser.new_context(
            color_scheme=colours, viewport={"width": width, "height": height}, java_script_enabled=scripts
        )
        contexts.append(context)
        opened = Opened(context.new_page(), [], [])

        def decide(route: Route, request: Request) -> None:
            if request.url.startswith(_LOCAL):
                route.continue_()
            else:
                opened.requests.append(request.url)
                route.abort("internetdisconnected")

        context.route("**/*", decide)
        opened.page.on("pageerror", lambda error: opened.errors.append(str(error)))
        opened.page.on(
            "console",
            lambda message: opened.errors.append(message.text) if message.type in {"error", "warning"} else None,
        )
        opened.page.goto(path.resolve().as_uri())
        return opened

    yield open_
    for context in contexts:
        context.close()
