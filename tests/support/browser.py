"""A real browser for tests and screenshots: headless Chromium that reaches no host but this one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from selenium import webdriver

SECONDS = 60.0  # the longest wait for a page on a busy machine
OWN_SCHEMES = ("data", "blob", "about", "chrome", "devtools")


def why_absent() -> str | None:
    """Return a message that names the missing browser programs, None when all are installed."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"{' and '.join(missing)} not installed (apt install chromium chromium-driver)" if missing else None


# Where SOULSPOT_REQUIRE_BROWSER is set, a missing browser fails the tests instead of skipping them.
needs_browser = pytest.mark.skipif(
    why_absent() is not None and not os.environ.get("SOULSPOT_REQUIRE_BROWSER"), reason=str(why_absent())
)


@contextmanager
def browser(
    profile: Path, *, dark: bool = False, width: int = 1280, height: int = 900, scale: float = 1
) -> Iterator[Browser]:
    """Start a browser with an empty profile in the folder `profile`; `scale` is its device pixel
    ratio."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for argument in (
        "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", f"--user-data-dir={profile}",
        f"--window-size={width},{height}", f"--force-device-scale-factor={scale}", "--lang=en-GB",
        "--hide-scrollbars",
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        made = Browser(driver)
        made.resize(width, height, scale)
        made.scheme("dark" if dark else "light")
        yield made
    finally:
        driver.quit()


class Browser:
    """The calls that tests make to a browser. A wait ends as soon as its condition holds."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver
        self.asked: list[str] = []  # addresses that its pages have requested

    def forget(self) -> None:
        """Return to the state of a new browser: no page, cookie or log, light, of the usual
        size."""
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.hosts()
        self.complaints()
        self.asked.clear()
        self.resize(1280, 900)
        self.scheme("light")

    def resize(self, width: int, height: int, scale: float = 1) -> None:
        """Set the size of the viewport, in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def scheme(self, name: str) -> None:
        """Set the colour scheme of the user's system: "light" or "dark"."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, address: str) -> None:
        """Load a page."""
        self.driver.get(address)

    def ask(self, script: str, *given: object) -> object:
        """Run the body of a JavaScript function with these `arguments` and return its value."""
        return self.driver.execute_script(script, *given)

    def text(self, selector: str) -> str:
        """Return the visible text of the first element that matches, "" when there is none."""
        return str(self.ask("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    def wait(self, script: str, *given: object, seconds: float = SECONDS) -> object:
        """Run the body of a JavaScript function until its value is true, and return that value.

        Raises selenium's TimeoutException after `seconds`."""
        from selenium.webdriver.support.ui import WebDriverWait

        wait = WebDriverWait(self.driver, seconds, poll_frequency=0.1)
        return wait.until(lambda driver: driver.execute_script(script, *given), f"never true: {script}")

    def click(self, selector: str) -> None:
        """Click the first element that matches, by mouse: it must be visible and not covered."""
        from selenium.webdriver.common.by import By

        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def press(self, *keys: str) -> None:
        """Press keys on the keyboard, one after the other; the focused element gets them."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def hosts(self) -> set[str]:
        """Return the hosts, with port, that this browser's pages have requested so far."""
        for line in self.driver.get_log("performance"):
            message = json.loads(line["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])
        return {urlsplit(address).netloc for address in self.asked if urlsplit(address).scheme not in OWN_SCHEMES}

    def complaints(self) -> list[str]:
        """Return script errors and violations of the content policy since the last call.

        A server that does not answer is no error of the page."""
        lines = [str(one["message"]) for one in self.driver.get_log("browser") if one["level"] == "SEVERE"]
        return [line for line in lines if "ERR_CONNECTION" not in line and "ERR_INCOMPLETE" not in line]

    def picture(self, path: Path) -> None:
        """Write a PNG of the viewport."""
        assert self.driver.save_screenshot(str(path))
