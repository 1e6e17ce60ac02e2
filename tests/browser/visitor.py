"""Somebody before a browser, who notes whatever the browser complains of."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Response, ViewportSize

WIDE: Final[ViewportSize] = {"width": 1360, "height": 900}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
_WATCH: Final = """
window.refusedByPolicy = [];
document.addEventListener("securitypolicyviolation",
    (event) => window.refusedByPolicy.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


class Visitor:
    """A page of a browser; `complaints` are the console's errors and requests to other hosts."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("request", self._asked)
        page.add_init_script(_WATCH)

    def goes_to(self, path: str) -> Response:
        """Open a page of the service."""
        answer = self.page.goto(f"{self.address}{path}")
        assert answer is not None
        return answer

    def has_no_complaint(self) -> None:
        """Check that nothing was refused, failed, or asked of another host."""
        refused = self.page.evaluate("window.refusedByPolicy")
        assert refused == [], refused
        assert self.complaints == [], self.complaints
        assert self.page.evaluate("window.hostile") is None

    def looks_well(self, axe: str) -> None:
        """Check the page in light and dark, wide and on a phone, with all its parts open."""
        self.page.eval_on_selector_all("details", "(all) => all.forEach((d) => { d.open = true; })")
        # By the debugger's own way in, which no policy of the page forbids.
        self.page.evaluate(axe)
        self._is_barred_by_nothing()
        self.page.emulate_media(color_scheme="dark")
        self._is_barred_by_nothing("color-contrast")
        self.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        self.page.set_viewport_size(PHONE)
        self._is_barred_by_nothing()
        width = self.page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], f"the page is {width} wide"
        self.page.set_viewport_size(WIDE)

    def _is_barred_by_nothing(self, *rules: str) -> None:
        """Check that axe-core finds nothing, by all its rules or by some."""
        found: list[dict[str, Any]] = self.page.evaluate(
            """(rules) => axe.run(document, {
                resultTypes: ["violations"],
                ...(rules.length ? {runOnly: {type: "rule", values: rules}} : {}),
            }).then((results) => results.violations)""",
            list(rules),
        )
        barred = [
            (each["id"], each["help"], [node["html"][:200] for node in each["nodes"][:3]])
            for each in found
        ]
        assert barred == [], barred

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, request: Any) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.address).netloc:
            self.complaints.append(f"another host: {request.url}")


@contextmanager
def visiting(browser: Browser, address: str, **how: Any) -> Iterator[Visitor]:
    """Open a window; `how` is what playwright's new_context takes."""
    settings = {"viewport": WIDE, "locale": "en-GB", "timezone_id": "Europe/Berlin", **how}
    context = browser.new_context(**settings)
    try:
        yield Visitor(context.new_page(), address)
    finally:
        context.close()
