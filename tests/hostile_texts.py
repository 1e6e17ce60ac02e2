"""200 texts that try to be more than text: markup, scripts, controls, length."""

from itertools import product
from typing import Final

_RUN: Final = "window.hostile=1"
_MARKUP: Final = (
    f"<script>{_RUN}</script>",
    f"<img src=x onerror={_RUN}>",
    f"<svg/onload={_RUN}>",
    f"<svg><script>{_RUN}</script></svg>",
    f"<svg><animate onbegin={_RUN} attributeName=x dur=1s>",
    f"<body onload={_RUN}>",
    f"<details open ontoggle={_RUN}>",
    f"<input autofocus onfocus={_RUN}>",
    f"<iframe srcdoc='<script>{_RUN}</script>'></iframe>",
    f"<iframe src='javascript:{_RUN}'></iframe>",
    f"<a href='javascript:{_RUN}'>click</a>",
    f"<math><mtext></mtext><mglyph><style><img src=x onerror={_RUN}></style></mglyph></math>",
    f"<div hx-on:click='{_RUN}' hx-get='/page' hx-trigger='load'>x</div>",
    f"<div hx-vals='js:{{a: {_RUN}}}' hx-get='/page' hx-trigger='every 1s'>x</div>",
    f"<div data-hx-get='javascript:{_RUN}' data-hx-trigger='load'></div>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv='refresh' content='0;url=https://evil.example/'>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<form action=https://evil.example/><button>Sign in</button></form>",
    "<style>*{display:none}</style>",
    "<plaintext>",
    "<!--",
    "</textarea></title></style></script></table></svg></main>",
    "<noscript><p title='</noscript><img src=x onerror=window.hostile=1>'>",
)
_PLACES: Final = ("{}", "'\"><{0}", '"{}"', "it is fine {}", "&lt;{}&gt;", "`{}`")
_TEMPLATES: Final = ("{{ 7 * 7 }}", "{% raw %}", "${7*7}", "<%= 7*7 %>", "{0.__class__}", "%s%n%x")
_CONTROLS: Final = (
    "\u202eesrever\u202c",
    "\u2066isolate that never ends",
    "\u202a\u202b\u202d" * 50,
    "zero\u200bwidth\u200c\u200d\ufeffjoiners" * 20,
    "\x1b[31mred\x1b[0m \x1b]0;title\x07",
    "line\r\nSet-Cookie: a=b\r\n\r\n<b>",
    "bell\x07 back\x08\x08\x08space \x7f",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘" * 10,
    "مرحبا <b>بالعالم</b> 123",
    "שלום (עולם) https://example.com/?a=1&b=2",
    "👩‍👩‍👧‍👦🏳️‍🌈👨🏿‍🚀" * 30,
    "\U000e0041\U000e0042 tags \ufff9\ufffa\ufffb \u2028 \u2029",
)
_LONG: Final = (
    "a" * 50_000,
    "<b>" * 15_000,
    "&" * 50_000,
    "W" * 2_000,
    "https://example.com/" + "x" * 5_000,
    "😀" * 20_000,
    "\n" * 10_000,
    "\u0300" * 20_000,
)
_LINKS: Final = (
    "javascript:window.hostile=1",
    "data:text/html,<script>window.hostile=1</script>",
    "//evil.example/x",
    "vbscript:msgbox(1)",
)


def hostile_texts() -> list[str]:
    """Return the texts; each of them is legal in a tweet, but for what PostgreSQL cannot hold."""
    made = [place.format(markup) for markup, place in product(_MARKUP, _PLACES)]
    texts = [*made, *_TEMPLATES, *_CONTROLS, *_LONG, *_LINKS]
    texts += [f"{one} {other}" for one, other in product(_LINKS + _TEMPLATES, _CONTROLS)]
    return texts[:200]
