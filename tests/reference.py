"""Which tweets remain of a history of events, in whatever order it arrived: the promise itself."""

from collections.abc import Iterable

from schemas.events import LIVE, AuthorErased, Event, TweetPosted, TweetScored

Key = tuple[str, str]
"""Run and root id."""

Post = TweetPosted | TweetScored
Grave = tuple[str, str, str]
"""Run, kind (tweet or author) and id of something that may not come back."""


def what_remains(
    history: Iterable[Event], graves: Iterable[Grave] = ()
) -> dict[Key, tuple[Post, ...]]:
    """Return, for each tweet that nothing removed, every event that posted its last version.

    Any of them may be the one that counts: the first that was stored. A deleted version takes the
    whole tweet with it, a tweet its retweets, an author all of both; in `live`, in every run.
    `graves` are of a history that is forgotten.
    """
    events = list(history)
    closed = all_graves(events, graves)
    remaining: dict[Key, tuple[Post, ...]] = {}
    for post in events:
        if isinstance(post, Post) and not _ways_to_go(post, own=False) & closed:
            best = remaining.get((post.run, post.root_id), (post,))
            if post.version > best[0].version:
                remaining[post.run, post.root_id] = (post,)
            elif post.version == best[0].version:
                remaining[post.run, post.root_id] = (*best, post) if post is not best[0] else best
    return remaining


def all_graves(history: Iterable[Event], graves: Iterable[Grave] = ()) -> set[Grave]:
    """Return what may not come back: what was removed, and the root of every removed version."""
    events = list(history)
    posts = [event for event in events if isinstance(event, Post)]
    closed = {_grave(event) for event in events if not isinstance(event, Post)} | set(graves)
    while True:
        roots = {(p.run, "tweet", p.root_id) for p in posts if _ways_to_go(p, own=True) & closed}
        if roots <= closed:
            return closed
        closed |= roots


def _grave(removal: Event) -> Grave:
    if isinstance(removal, AuthorErased):
        return (removal.run, "author", removal.author_id)
    return (removal.run, "tweet", removal.tweet_id)


def _ways_to_go(post: Post, *, own: bool) -> set[Grave]:
    """Return the graves that take a post; with `own` only those of its own versions."""
    ids = {("tweet", id_) for id_ in (post.root_id, post.tweet_id, *post.edit_history)}
    if not own:
        ids |= {("author", post.author_id)} if post.author_id else set()
        for reference in post.references:
            if reference.kind == "retweeted":
                ids.add(("tweet", reference.tweet_id))
                ids |= {("author", reference.author_id)} if reference.author_id else set()
    return {(run, kind, id_) for kind, id_ in ids for run in (post.run, LIVE)}
