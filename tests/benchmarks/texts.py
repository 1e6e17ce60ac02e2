"""Distinct made-up tweets with the length of real ones: 29 word pieces on average."""

import random
from collections.abc import Iterator
from itertools import count
from pathlib import Path

_WORDS = """
the a to and of in is it you that was for on are with as be at one have this from by hot but
some what there we can out other were all your when up use word how said an each she which do
their time if will way about many then them would write like so these her long make thing see
him two has look more day could go come did my sound no most number who over know water than
call first people may down side been now find any new work part take get place made live where
after back little only round man year came show every good me give our under name very through
just form much great think say help low line before turn cause same mean differ move right boy
old too does tell sentence set three want air well also play small end put home read hand port
large spell add even land here must big high such follow act why ask men change went light kind
off need house picture try us again animal point mother world near build self earth father
""".split()
_MOODS = ("love it", "hate this", "so happy", "really sad", "not sure", "what a mess", "best ever")


def distinct_texts(seed: int, count: int) -> Iterator[str]:
    """Yield texts that all differ, the same for the same seed."""
    rng = random.Random(seed)
    for number in range(count):
        words = rng.choices(_WORDS, k=rng.randint(13, 26))
        words.insert(rng.randrange(len(words)), rng.choice(_MOODS))
        if rng.random() < 0.4:
            words.append(f"#{rng.choice(_WORDS)}{rng.choice(_WORDS)}")
        if rng.random() < 0.5:
            words.append(f"https://example.org/{seed}/{number}")
        if rng.random() < 0.4:
            words.insert(0, f"@user{number}")
        yield f"{' '.join(words)} {seed}.{number}"


def with_retweets(texts: Iterator[str], seed: int, count: int) -> Iterator[str]:
    """Yield `count` texts of which a third repeat one of the last 5,000."""
    rng = random.Random(seed)
    recent: list[str] = []
    for _ in range(count):
        if recent and rng.random() < 1 / 3:
            yield rng.choice(recent)
        else:
            recent = [*recent[-4_999:], next(texts)]
            yield recent[-1]


def write_archive(file: Path, texts: Iterator[str], first_id: int) -> int:
    """Write texts as an archive of `id TAB language TAB text` and return how many."""
    written = 0
    with file.open("w", encoding="utf-8") as output:
        for number, text in enumerate(texts):
            output.write(f"{first_id + number * 4_194_304}\ten\t{text}\n")
            written += 1
    return written


class Archives:
    """Archives of which no two share a text or an id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()

    def new(self, tweets: int, *, retweets: bool = False) -> Path:
        """Write one of so many tweets and return its file."""
        number = next(self._numbers)
        texts = distinct_texts(number, tweets)
        file = self._folder / f"archive-{number}.tsv"
        first_id = 1_500_000_000_000_000_000 + number * 10**14
        write_archive(file, with_retweets(texts, number, tweets) if retweets else texts, first_id)
        return file
