"""A real browser for tests and screenshots: headless Chromium that finds no other host than this one."""

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

SECONDS = 60.0  # that a page may take for what is waited for, on a busy machine
OWN_SCHEMES = ("data", "blob", "about", "chrome", "devtools")


def why_absent() -> str | None:
    """What of a browser this machine lacks, in words."""
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return (
        f"{' and '.join(missing)} not installed (apt install chromium chromium-driver)" if missing else None
    )


# a check is complete or it fails: where everything must be there, a browser that is not is a failure
needs_browser = pytest.mark.skipif(
    why_absent() is not None and not os.environ.get("SOULSPOT_REQUIRE_BROWSER"), reason=str(why_absent())
)


@contextmanager
def browser(
    profile: Path, *, dark: bool = False, width: int = 1280, height: int = 900, scale: float = 1
) -> Iterator[Browser]:
    """A browser with an empty profile in the folder `profile`."""
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
    """What tests ask of it. Every wait ends as soon as what is waited for is there."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver
        self.asked: list[str] = []  # addresses that the page has asked for

    def forget(self) -> None:
        """Be as new: no page, no cookie, nothing heard of, light and of the usual size."""
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.hosts()
        self.complaints()
        self.asked.clear()
        self.resize(1280, 900)
        self.scheme("light")

    def resize(self, width: int, height: int, scale: float = 1) -> None:
        """The size of what is seen, in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def scheme(self, name: str) -> None:
        """Light or dark, as the user's system says."""
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, address: str) -> None:
        self.driver.get(address)

    def ask(self, script: str, *given: object) -> object:
        """The value of a JavaScript function's body."""
        return self.driver.execute_script(script, *given)

    def text(self, selector: str) -> str:
        """The text of the first element, "" when there is none."""
        return str(self.ask("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    def wait(self, script: str, *given: object, seconds: float = SECONDS) -> object:
        """The value of a JavaScript function's body as soon as it is true."""
        from selenium.webdriver.support.ui import WebDriverWait

        wait = WebDriverWait(self.driver, seconds, poll_frequency=0.1)
        return wait.until(lambda driver: driver.execute_script(script, *given), f"never true: {script}")

    def click(self, selector: str) -> None:
        """As by mouse; an element that is covered or hidden cannot be clicked."""
        from selenium.webdriver.common.by import By

        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def press(self, *keys: str) -> None:
        """As on the keyboard, to whatever has the focus."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def hosts(self) -> set[str]:
        """The hosts (with port) that this browser's pages have asked so far."""
        for line in self.driver.get_log("performance"):
            message = json.loads(line["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])
        return {
            urlsplit(address).netloc for address in self.asked if urlsplit(address).scheme not in OWN_SCHEMES
        }

    def complaints(self) -> list[str]:
        """Errors of scripts and refusals by the policy since the last call; that nobody answers is no error of ours."""
        lines = [str(one["message"]) for one in self.driver.get_log("browser") if one["level"] == "SEVERE"]
        return [line for line in lines if "ERR_CONNECTION" not in line and "ERR_INCOMPLETE" not in line]

    def picture(self, path: Path) -> None:
        """A PNG of what is seen."""
        assert self.driver.save_screenshot(str(path))
