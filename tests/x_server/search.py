"""The fake's recent search: seven days back, pages, newest first."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from tests.x_server.vocabularies import asked_in, refusal

if TYPE_CHECKING:
    from tests.x_server.server import Handler

PATH = "/2/tweets/search/recent"
REACH = timedelta(days=7)


def found(handler: "Handler") -> None:
    x = handler.x
    fields, dialect = asked_in(handler.path), x.search_dialect
    problem = refusal(fields, dialect)
    if problem is not None:
        handler.answer_json(400, problem)
        return
    asked = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
    if x.search_forbidden_after is not None:
        if x.search_forbidden_after == 0:
            handler.answer_json(403, {"title": "Forbidden"})
            return
        x.search_forbidden_after -= 1
    if asked["query"] in x.search_refuses:
        handler.answer_json(400, {"errors": [{"message": "the query is too long"}]})
        return
    since, until = (datetime.fromisoformat(asked[n]) for n in ("start_time", "end_time"))
    now = x.corpus.now()
    if since < now - REACH or until > now - timedelta(seconds=10) or since >= until:
        handler.answer_json(400, {"title": "Invalid Request"})
        return
    size, begin = int(asked.get("max_results", "10")), int(asked.get("next_token", "0"))
    posts = x.corpus.found(asked["query"], since, until)
    page = posts[begin : begin + size]
    users = [{"id": author, "username": f"user{author}"} for author in {p.author_id for p in page}]
    meta: dict[str, object] = {"result_count": len(page)}
    if begin + size < len(posts):
        meta |= {"next_token": str(begin + size)}
    includes: dict[str, object] = {"users": users}
    if included := [each for post in page for each in post.included(dialect, fields)]:
        includes[dialect.words.included] = included
    data = [post.data(dialect, fields) for post in page]
    document = {"data": data, "includes": includes} if page else {}
    handler.answer_json(200, document | {"meta": meta})
