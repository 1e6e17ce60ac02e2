"""Tweets behind a figure, page by page; and one tweet with everything that is known of it."""

from typing import Final, NamedTuple

from anyio import to_thread
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from deploy.page.page_sources import PageSources
from deploy.page.rendering import Pages
from deploy.page.text_explainer import Explain
from deploy.page.view_address import WINDOWS, view_of
from deploy.web.access.api_key import ApiKey
from deploy.web.access.browser import PAGE
from deploy.web.access.scopes import Scope
from model_server.http.problems import Refused
from retrain.labels.tweet_labels import TweetLabel, labels_of_tweet
from schemas.failures import NotThere
from schemas.known_runs import require_run
from stream_processors.queries.export_rows import Choice, ExportRow
from stream_processors.queries.http import cursors
from stream_processors.queries.http.cursors import Cursor
from stream_processors.queries.tweet_pages import Place, page_of, tweets_of_id
from stream_processors.queries.tweet_scores import TweetScore, scores_of

_ON_A_PAGE: Final = 50
_MOST_WORDS: Final = 5
_MOST_RUNS: Final = 20
_MOST_SCORES: Final = 50
_MOST_CHARS: Final = 200


class TweetInRun(NamedTuple):
    """A tweet in a run, with every score and label of it."""

    run: str
    row: ExportRow
    scores: list[TweetScore]
    labels: list[TweetLabel]


def tweets_router(pages: Pages, sources: PageSources, explain: Explain) -> APIRouter:
    """Return the routes. They wait for PostgreSQL in threads."""
    router = APIRouter(include_in_schema=False)

    @router.get(f"{PAGE}/tweets")
    def tweets(request: Request) -> Response:
        asked = view_of(request.query_params)
        cursor = request.query_params.get("cursor")
        after = cursors.read(cursor) if cursor else None
        view = asked.with_default_window(after.run if after else sources.run_of(asked))
        search = request.query_params.get("words", "").strip()[:_MOST_CHARS]
        words = search.split()
        if len(words) > _MOST_WORDS:
            raise Refused(
                422, "invalid", "A search is too long.", f"At most {_MOST_WORDS} words are taken."
            )
        run = view.run or ""
        start, end = sources.span_of(view)
        with sources.lend() as connection:
            require_run(connection, run)
            page = page_of(
                connection,
                run,
                Choice(view.selection, start, end),
                words=words,
                after=Place(after.root_id, after.day) if after else None,
                most=_ON_A_PAGE,
                hashtags=view.hashtags,
            )
        more = [("words", search)] if search else []
        following = None
        if page.end is not None:
            following = view.at(
                "/tweets", [*more, ("cursor", cursors.written(Cursor(run, *page.end)))]
            )
        return pages.answer(
            request,
            "tweets.html",
            active="tweets",
            view=view,
            runs=sources.runs(),
            windows=WINDOWS,
            labels=sources.labels_of(run),
            tweets=page.rows,
            search=search,
            is_first=after is None,
            first=view.at("/tweets", more),
            following=following,
        )

    @router.get(f"{PAGE}/tweets/{{tweet_id:path}}")
    async def tweet(request: Request, tweet_id: str) -> Response:
        asked = view_of(request.query_params)

        def read() -> list[TweetInRun]:
            with sources.lend() as connection:
                found = tweets_of_id(connection, tweet_id, asked.run, most=_MOST_RUNS)
                return [
                    TweetInRun(
                        run,
                        row,
                        scores_of(connection, run, row.root_id, most=_MOST_SCORES),
                        labels_of_tweet(connection, run, row.root_id, most=_MOST_SCORES),
                    )
                    for run, row in found
                ]

        found = await to_thread.run_sync(read)
        if not found:
            raise NotThere("this tweet is not stored: it may have been deleted")
        first = found[0]
        key: ApiKey | None = getattr(request.state, "key", None)
        explained = None
        if first.row.text.strip() and (key is None or Scope.PREDICT in key.scopes):
            explained = await explain(first.row.text)
        return pages.answer(
            request,
            "tweet.html",
            active="tweets",
            view=asked.changed(run=first.run),
            first=first,
            others=found[1:],
            explained=explained,
        )

    @router.get(f"{PAGE}/tweet-there")
    def tweet_there(request: Request) -> Response:
        """Say 204 while the tweet of an open page is stored; then what stands in its place."""
        tweet_id = request.query_params.get("id", "")[:_MOST_CHARS]
        run = request.query_params.get("run", "")[:_MOST_CHARS]
        with sources.lend() as connection:
            found = tweets_of_id(connection, tweet_id, run, most=1)
        if found:
            return Response(status_code=204)
        return pages.answer(request, "gone.html", status=404)

    return router
