"""The page's files for browsers: each at an address that names its content, so kept for ever."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from deploy.web.access.browser import PAGE
from schemas.failures import NotThere

_HERE: Final = Path(__file__).parent
_FILES: Final = {
    "page.css": (_HERE / "static" / "page.css", "text/css; charset=utf-8"),
    "page.js": (_HERE / "static" / "page.js", "text/javascript; charset=utf-8"),
    "working.css": (_HERE / "static" / "working.css", "text/css; charset=utf-8"),
    "labels.js": (_HERE / "static" / "labels.js", "text/javascript; charset=utf-8"),
    "icon.svg": (_HERE / "static" / "icon.svg", "image/svg+xml"),
    "htmx.min.js": (_HERE / "vendor" / "htmx.min.js", "text/javascript; charset=utf-8"),
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class StaticFile:
    """A file as browsers get it."""

    content: bytes
    media_type: str
    address: str


def read_static_files() -> dict[str, StaticFile]:
    """Return every file that pages may name, by its name."""
    found = {}
    for name, (path, media_type) in _FILES.items():
        content = path.read_bytes()
        of_content = hashlib.sha256(content).hexdigest()[:12]
        found[name] = StaticFile(content, media_type, f"{PAGE}/static/{of_content}/{name}")
    return found


def static_router(files: dict[str, StaticFile]) -> APIRouter:
    """Return the route that gives them."""
    router = APIRouter()

    @router.get(f"{PAGE}/static/{{of_content}}/{{name}}", include_in_schema=False)
    async def static_file(of_content: str, name: str) -> Response:
        file = files.get(name)
        if file is None or file.address != f"{PAGE}/static/{of_content}/{name}":
            raise NotThere("the page has no such file")
        return Response(
            file.content,
            media_type=file.media_type,
            headers={"Cache-Control": _FOR_EVER, "X-Content-Type-Options": "nosniff"},
        )

    return router
