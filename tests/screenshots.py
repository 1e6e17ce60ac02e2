"""Pictures of the page for README.md, made from what the demo has stored.

python -m tests.screenshots    # the stack of `murmur demo --keep-up` has to run
"""

import base64
import shutil
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, ViewportSize, sync_playwright

from deploy.embedded.status import status
from schemas.failures import Failure
from schemas.settings import load_settings

FOLDER: Final = Path(__file__).parents[1] / "deploy" / "page" / "pictures"
_WIDE: Final[ViewportSize] = {"width": 1280, "height": 800}
_PICTURES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "overview": ("?run=demo&window=all", {}),
    "labels": ("/labels?run=demo", {}),
    "model": ("/model?run=demo", {"color_scheme": "dark"}),
}
"""By their names: the address beneath the page's own, and how the browser is."""


def take_pictures(address: str, folder: Path) -> list[Path]:
    """Write the pictures and return their files; raise `Failure` without a Chromium."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise Failure("there is no Chromium here: install the package `chromium`")
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        for name, (path, how) in _PICTURES.items():
            context = browser.new_context(
                viewport=_WIDE, locale="en-GB", timezone_id="UTC", reduced_motion="reduce", **how
            )
            page = context.new_page()
            answer = page.goto(f"{address}{path}")
            if answer is None or not answer.ok:
                raise Failure(f"{address}{path} does not answer as it should: see serve.log")
            made.append(_picture(page, folder / f"{name}.webp"))
            context.close()
        browser.close()
    return made


def _picture(page: Page, file: Path) -> Path:
    """Write what the window shows as WebP, which is a third of a PNG."""
    page.evaluate("document.fonts.ready")
    session = page.context.new_cdp_session(page)
    # Playwright itself writes PNG and JPEG alone.
    shot = session.send(
        "Page.captureScreenshot", {"format": "webp", "quality": 80, "optimizeForSpeed": False}
    )
    file.write_bytes(base64.b64decode(shot["data"]))
    return file


def main() -> None:
    """Take them all."""
    found = status(load_settings().home)
    address = found.addresses.get("page")
    if address is None:
        raise SystemExit("no page is served: run `murmur demo --keep-up` first")
    for file in take_pictures(address, FOLDER):
        print(f"{file.name}: {file.stat().st_size:,} bytes")  # noqa: T201  for whoever runs it


if __name__ == "__main__":
    main()
