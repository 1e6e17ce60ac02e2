"""Drawing a queue: half audits, three tenths uncertain, two tenths drifted. Pure."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import chain
from typing import Final

from msgspec import Struct

from retrain.labels.queue.candidates import Candidate, Candidates
from retrain.labels.queue.diversity import k_centre, word_vectors
from retrain.labels.queue.drifted import DriftOrder, newest_words_first
from retrain.labels.queue.duplicates import SeenTexts
from schemas.people_labels import LabelOrigin

RULE_AUDITS: Final = 60
"""Audits after which a rule is no longer looked after: a share's interval is then below ± 13
points, and Student's t no longer needed."""

_CHOSEN_AMONG: Final = 4
"""How many times as many as are taken are looked at for ones that differ."""

_PATTERN: Final = "AUADAUADAU"


class Part(StrEnum):
    """Why a tweet is in the queue."""

    AUDIT = "audit"
    UNCERTAIN = "uncertain"
    DRIFTED = "drifted"
    DISAGREEING = "disagreeing"
    NAMED = "named"


class Drawn(Struct, frozen=True, kw_only=True):
    """A tweet to be labelled; `rule` is the one for which an audit was drawn.

    `copy_of` is an earlier audit of the queue with the same text, whose answer is its answer too.
    """

    root_id: str
    part: Part
    rule: str | None = None
    copy_of: str | None = None

    @property
    def origin(self) -> LabelOrigin:
        """What its label will be: only audits estimate."""
        return LabelOrigin.AUDIT if self.part is Part.AUDIT else LabelOrigin.QUEUE


def draw(
    candidates: Candidates,
    count: int,
    *,
    audits_only: bool = False,
    drift_order: DriftOrder = newest_words_first,
) -> list[Drawn]:
    """Return up to `count` tweets, copies besides, in the order in which people should see them.

    Audits are the lowest ranks: every second one of all tweets, the others of the rule that has the
    fewest audits, until each rule has 60. So of each rule and day the lowest ranks are taken, and
    no text is left out for what it says: wherever somebody stops, the audits before it are a
    uniform sample. The others differ from each other and from all that was labelled lately; where
    they run short, more audits come. The same candidates give the same queue.
    """
    wanted = Counter({"A": count}) if audits_only else _parts_of(count)
    while True:
        audits = _audits(candidates, wanted["A"])
        others = _others(candidates, audits, wanted, drift_order)
        texts = sum(each.copy_of is None for each in audits)
        missing = count - texts - sum(map(len, others.values()))
        if missing <= 0 or texts < wanted["A"]:
            break
        wanted["A"] += missing
    return _interleaved(count, {"A": deque(audits), **others})


def _parts_of(count: int) -> Counter[str]:
    return Counter(_PATTERN[number % len(_PATTERN)] for number in range(count))


def _audits(candidates: Candidates, count: int) -> list[Drawn]:
    """Return audits of so many texts, and the copies that come between them."""
    overall = iter(candidates.pool)
    of_rules = {rule: iter(found) for rule, found in candidates.by_rule.items()}
    audits = Counter(candidates.audits)
    first_with: dict[str, str] = {}
    drawn: list[Drawn] = []
    taken: set[str] = set()
    while len(first_with) < count:
        rule = _neediest(of_rules, audits) if len(drawn) % 2 else None
        candidate = _next(overall if rule is None else of_rules[rule], taken)
        if candidate is None and rule is None:
            break
        if candidate is None:
            del of_rules[str(rule)]
            continue
        taken.add(candidate.root_id)
        audits.update(candidate.rules)
        first = first_with.setdefault(candidate.text, candidate.root_id)
        drawn.append(
            Drawn(
                root_id=candidate.root_id,
                part=Part.AUDIT,
                rule=rule,
                copy_of=None if first == candidate.root_id else first,
            )
        )
    return drawn


def _others(
    candidates: Candidates, audits: Iterable[Drawn], wanted: Counter[str], drift_order: DriftOrder
) -> dict[str, deque[Drawn]]:
    taken = {each.root_id for each in audits}
    everybody = chain(candidates.pool, *candidates.by_rule.values())
    texts = {each.text for each in everybody if each.root_id in taken}
    seen = SeenTexts([*candidates.labelled_texts, *sorted(texts)])
    free = [each for each in candidates.pool if each.root_id not in taken and not each.was_asked]
    uncertain = _differing(sorted(free, key=_lead), wanted["U"], seen, Part.UNCERTAIN)
    taken |= {each.root_id for each in uncertain}
    free = [each for each in free if each.root_id not in taken]
    drifted = _differing(drift_order(free), wanted["D"], seen, Part.DRIFTED)
    return {"U": deque(uncertain), "D": deque(drifted)}


def _neediest(of_rules: Iterable[str], audits: Mapping[str, int]) -> str | None:
    needy = [(audits.get(rule, 0), rule) for rule in of_rules if audits.get(rule, 0) < RULE_AUDITS]
    return min(needy)[1] if needy else None


def _next(candidates: Iterator[Candidate], taken: set[str]) -> Candidate | None:
    return next((each for each in candidates if each.root_id not in taken), None)


def _lead(candidate: Candidate) -> tuple[float, int]:
    """Return how far the model's first label is before its second, and the rank."""
    first, second, *_ = [*sorted(candidate.probabilities.values(), reverse=True), 0.0, 0.0]
    return first - second, candidate.rank


def _differing(
    candidates: Iterable[Candidate], count: int, seen: SeenTexts, part: Part
) -> list[Drawn]:
    """Return the first candidate and others that differ from it; note their texts as seen."""
    found: list[Candidate] = []
    own = SeenTexts()
    for candidate in candidates:
        if len(found) >= count * _CHOSEN_AMONG:
            break
        if not seen.holds(candidate.text) and not own.holds(candidate.text):
            own.add(candidate.text)
            found.append(candidate)
    chosen = [found[row] for row in k_centre(word_vectors([each.text for each in found]), count)]
    for each in chosen:
        seen.add(each.text)
    return [Drawn(root_id=each.root_id, part=part) for each in chosen]


def _interleaved(count: int, parts: Mapping[str, deque[Drawn]]) -> list[Drawn]:
    queue: list[Drawn] = []
    for number in range(count):
        part = parts[_PATTERN[number % len(_PATTERN)]]
        source = next((each for each in (part, *parts.values()) if each), None)
        if source is None:
            break
        queue.append(source.popleft())
        while source and source[0].copy_of is not None:
            queue.append(source.popleft())
    return queue
