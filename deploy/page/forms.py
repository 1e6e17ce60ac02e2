"""What a browser sends of a form.

That a form is one of ours, and no other site's, was decided before (`access/admission.py`).
"""

from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request

from model_server.http.problems import Refused
from model_server.http.request_body import MAX_BODY_BYTES, read_body

_MOST_FIELDS: Final = 50


async def read_form(request: Request, most_bytes: int = MAX_BODY_BYTES) -> dict[str, str]:
    """Return the fields, of one that is repeated the last; raise `Refused`."""
    body = await read_body(request, most_bytes)
    if b"\0" in body or b"%00" in body:
        raise Refused(400, "nul", "The form holds a NUL.", "Leave it out.")
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Refused(400, "no-form", "This is no form.", "Open the page anew.") from None
    return {name: values[-1] for name, values in fields.items()}


def whole_number(text: str) -> int:
    """Return a number that one of our forms holds; raise `Refused` for what is none."""
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise Refused(422, "invalid", "The form is not whole.", "Open the page anew.")
    return int(text)
