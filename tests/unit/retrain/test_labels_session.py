"""What a person is shown, one key after the other."""

import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from retrain.labels.annotation.label_keys import keys_of
from retrain.labels.annotation.screen import Screen
from retrain.labels.annotation.session import Answer, AnswerKind, Session, Shown
from retrain.labels.annotation.sitting import Progress
from retrain.labels.queue.draw import Drawn, Part
from retrain.labels.stored_tweets import ShownTweet
from schemas.failures import Failure
from tests.unit.examples import POSTED_AT

KINDS = st.sampled_from(["label", "label", "label", "unsure", "skip", "gone", "undo"])


def queue_of(count: int) -> list[Drawn]:
    return [Drawn(root_id=str(number), part=Part.AUDIT) for number in range(count)]


def press(session: Session, kind: AnswerKind = AnswerKind.LABELLED) -> Shown:
    shown = session.next
    assert shown is not None
    session.answer(Answer(shown, kind, "calm"))
    return shown


def shown_in(count: int, presses: int) -> list[Shown]:
    session = Session(queue_of(count))
    return [press(session) for _ in range(presses)]


def test_one_of_ten_comes_once_more_some_tweets_later() -> None:
    shown = shown_in(50, 55)
    repeats = [at for at, each in enumerate(shown) if each.repeat]
    assert len(repeats) == 5
    first_at = {each.drawn.root_id: at for at, each in enumerate(shown) if not each.repeat}
    assert len(first_at) == 50
    gaps = [at - first_at[shown[at].drawn.root_id] for at in repeats]
    assert all(gap > 3 for gap in gaps)
    assert gaps[:4] == [9, 9, 9, 9]


def test_a_session_ends_when_everything_was_answered() -> None:
    session = Session(queue_of(5))
    for _ in range(5):
        press(session)
    assert session.next is None
    assert session.left == 0
    assert not any(each.repeat for each in shown_in(5, 5))


def test_nothing_comes_twice_where_labels_are_corrections() -> None:
    session = Session(queue_of(20), repeats=False)
    assert [press(session).repeat for _ in range(20)] == [0] * 20
    assert session.next is None


@given(st.integers(0, 25), st.lists(KINDS, max_size=60))
def test_undo_goes_back_to_what_was_shown_before(count: int, kinds: Sequence[str]) -> None:
    session = Session(queue_of(count))
    before: list[Shown | None] = []
    for kind in kinds:
        shown = session.next
        if kind == "undo":
            undone = session.undo()
            assert bool(undone) == bool(before)
            assert [each.kind.is_a_persons for each in undone[:-1]] == [False] * (len(undone) - 1)
            if undone:
                assert session.next == before.pop() == undone[-1].shown
        elif shown is not None:
            answers = {
                "label": AnswerKind.LABELLED,
                "unsure": AnswerKind.UNSURE,
                "skip": AnswerKind.SKIPPED,
                "gone": AnswerKind.GONE,
            }
            if kind != "gone":
                before.append(shown)
            session.answer(Answer(shown, answers[kind]))
        assert 0 <= session.left <= count


def test_keys_are_digits_then_letters_that_mean_nothing_else() -> None:
    labels = [f"label{number}" for number in range(20)]
    keys = keys_of(labels)
    assert list(keys.values()) == labels
    assert list(keys)[:9] == list("123456789")
    assert not {"u", "s", "q", "?"} & set(keys)
    with pytest.raises(Failure, match="other tool"):
        keys_of([*labels, *labels])


@pytest.mark.parametrize("width", [30, 200])
def test_a_tweet_is_shown_whole_escaped_and_without_the_models_answer(width: int) -> None:
    out = io.StringIO()
    screen = Screen(Console(file=out, width=width, highlight=False), "spring", {"1": "calm"})
    tweet = ShownTweet("1", 0, POSTED_AT, "first\x1b[2J [red]line\nsecond \u202eline", "cross", 0.9)
    progress = Progress(labelled=3, unsure=1, left=6, audits={"calm": 60, "cross": 40})
    screen.show(tweet, progress)
    printed = " ".join(out.getvalue().split())
    assert "\x1b[2J" not in printed
    assert "first\\x1b[2J [red]line" in printed
    assert "second \\u202eline" in printed
    assert "cross" not in printed
    assert "3 labelled, 1 unsure, 6 left" in printed
    assert "± 10 points" in printed
    assert "about 1,025" in printed
    screen.show(tweet, progress, answer_shown=True)
    assert "cross (0.90)" in " ".join(out.getvalue().split())
