"""Windows of Chromium that remember whatever went wrong in them."""

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page

# Chromium reports every answer of 4xx in its console; those are ours, and meant.
ANSWERED = "Failed to load resource: the server responded with a status of 4"

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}

# What moved without anybody having touched anything, by the rules of the Layout Instability API.
WATCH_SHIFTS = """
window.shifted = 0;
window.violated = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
document.addEventListener("securitypolicyviolation", (event) =>
  window.violated.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass
class Windows:
    """Opens windows, each a browser of its own with its own cookies, and closes them."""

    browser: Browser
    base: str
    faults: list[str] = field(default_factory=list)

    def open(self, locale: str = "fr-FR", javascript: bool = True, **options: Any) -> Page:
        context = self.browser.new_context(
            base_url=self.base,
            locale=locale,
            timezone_id="Europe/Paris",
            java_script_enabled=javascript,
            **options,
        )
        context.set_default_timeout(15_000)
        context.add_init_script(WATCH_SHIFTS)
        return self.watched(context.new_page())

    def watched(self, page: Page) -> Page:
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        return page

    def close(self) -> None:
        for context in list(self.browser.contexts):
            context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(ANSWERED):
            self.faults.append(f"{message.location.get('url')}: {message.text}")
