"""`make bounds`: worst time and memory of each stage, over random and costly input, as Markdown.

Time is CPU time of one text, file or header. Memory is what a process that has done the stage for
all of them, one after the other, took at its peak beyond what it had before; a file has a process
of its own, and its content is read from the disk.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from model_server.cleaning import CLEANING
from model_server.explaining.explain import Method, ask
from model_server.onnx_engine import OnnxEngine
from producers.archives.inputs import Input
from producers.formats.archive_format import FormatOptions
from producers.parsing.faults import Unparsable
from producers.parsing.provenance import Origin
from producers.parsing.tweet_context import NO_CONTEXT
from producers.replay.dry_run import survey_files
from producers.replay.inspect_files import prepare_files
from producers.replay.time_range import Times
from producers.rules.evaluate_rule import matches
from producers.rules.language import parse_rule
from producers.rules.tweet_features import facts_of
from producers.x_api.v1_1_documents import parse_old_document
from producers.x_api.v2_documents import parse_document
from schemas.codec import Reason, decode_raw, encode
from schemas.events import TweetPosted
from schemas.failures import Failure
from schemas.transport.dead_letters import SourcePosition, dead_letter, to_headers
from stream_processors.scoring.extraction import extract
from stream_processors.scoring.language import language_detector
from tests.bounds.made_files import costly_files, random_files
from tests.bounds.made_texts import costly_texts, random_texts
from tests.keyword_bundle import keyword_bundle

NOW: Final = datetime(2026, 11, 28, 9, tzinfo=UTC)
ORIGIN: Final = Origin("bounds", NOW, "test", "00" * 32)
MOST_S: Final = 1.0
MOST_MIB: Final = 200
_RULES: Final = ("good -bad", '"a b" OR #city', "from:1 has:links", "lang:en is:retweet")
_SEED: Final = 20_261_128


class Worst(NamedTuple):
    """The costliest of some inputs."""

    seconds: float
    name: str
    mib: float


@dataclass(frozen=True)
class Stage:
    """What is done with one input; `prepare` is done once before, in the process that measures."""

    name: str
    prepare: Callable[[], Callable[[str], object]]


def posted(text: str) -> TweetPosted:
    """Return a tweet with a text."""
    return TweetPosted(
        run="bounds",
        tweet_id="1367406984688570369",
        root_id="1367406984688570369",
        posted_at=NOW,
        received_at=NOW,
        text=text,
        source="test",
    )


def parsing_v2(text: str) -> object:
    """Parse a line of X's API v2."""
    raw = msgspec.json.encode({"data": {"id": "1367406984688570369", "text": text}})
    return parse_document(raw, ORIGIN, NOW, 1)


def parsing_v1(text: str) -> object:
    """Parse a line of the API 1.1."""
    raw = msgspec.json.encode({"id_str": "1367406984688570369", "full_text": text, "user": {}})
    try:
        return parse_old_document(raw, ORIGIN, NOW, 1)
    except Unparsable as fault:
        return fault


def codec(text: str) -> object:
    """Write an event and read it."""
    return decode_raw(encode(posted(text)))


def rules() -> Callable[[str], object]:
    """Return what matches a text against some rules."""
    parsed = [parse_rule(rule) for rule in _RULES]

    def match(text: str) -> object:
        facts = facts_of(posted(text), NO_CONTEXT)
        return [matches(rule, facts) for rule in parsed]

    return match


def tokens() -> Callable[[str], object]:
    """Return what cleans a text and turns it into token ids; the model's own time is constant."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = keyword_bundle(Path(folder) / "b", {"good": "positive", "bad": "negative"})
        engine = OnnxEngine(bundle)
    engine.token_ids(["words"])
    return lambda text: engine.token_ids([CLEANING["2"](text)])


def extraction() -> Callable[[str], object]:
    """Return what reads hashtags, links and the like off a text, and its language."""
    detect = language_detector()
    detect("a text of more than twelve letters, so that the tables are loaded")
    return lambda text: extract(posted(text), detect)


def explaining(text: str) -> object:
    """Make the variants of a text that an explanation asks the model about."""
    return ask(text, Method.SHAP)


def header(value: str) -> object:
    """Make a dead letter of a message whose headers and key come from outside."""
    raw = value.encode("utf-8", "replace")
    letter = dead_letter(
        run=None,
        stage="bounds",
        reason=Reason.NOT_JSON,
        detail=value,
        position=SourcePosition("tweets.raw", 0, 1, 1),
        key=raw,
        value=raw * 20,
        headers=[("murmur.redrive", raw), (value[:1_000], raw)] * 20,
    )
    return to_headers(letter)


STAGES: Final = (
    Stage("parsing, API v2", lambda: parsing_v2),
    Stage("parsing, API 1.1", lambda: parsing_v1),
    Stage("writing and reading an event", lambda: codec),
    Stage("cleaning, version 1", lambda: CLEANING["1"]),
    Stage("cleaning, version 2", lambda: CLEANING["2"]),
    Stage("extraction and language", extraction),
    Stage("cleaning and tokens", tokens),
    Stage("rules", rules),
    Stage("variants of an explanation", lambda: explaining),
    Stage("headers of a dead letter", lambda: header),
)


def read_file(path: str) -> object:
    """Read a file as a replay does, the trial of its first records included."""
    try:
        prepared = prepare_files([Input(Path(path), named=True)], FormatOptions(), None, force=True)
    except Failure as failure:
        return str(failure)
    return survey_files(prepared.files, Times(), lambda: NOW)


FILE: Final = Stage("reading a file", lambda: read_file)


def peak_mib() -> float:
    """Return what this process took at its peak."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(stage: Stage, inputs: Sequence[tuple[str, str]]) -> Worst:
    """Return the costliest of the inputs; the memory is that of all of them."""
    act = stage.prepare()
    before = peak_mib()
    seconds, name = 0.0, ""
    for each, value in inputs:
        began_s = time.process_time()
        act(value)
        took_s = time.process_time() - began_s
        if took_s > seconds:
            seconds, name = took_s, each
    return Worst(seconds, name, peak_mib() - before)


def in_a_process(work: Callable[[], Worst]) -> Worst:
    """Return what `work` measures, with memory of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, msgspec.json.encode(work()))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        found = msgspec.json.decode(answer.read(), type=Worst)
    os.waitpid(child, 0)
    return found


def of_files(files: Iterable[tuple[str, bytes]], folder: Path) -> Worst:
    """Return the costliest file, each in a process of its own."""
    worst = Worst(0.0, "", 0.0)
    path = folder / "archive"
    for name, content in files:
        path.write_bytes(content)
        del content  # a process begins with the memory of the one that starts it
        found = in_a_process(partial(measured, FILE, [(name, str(path))]))
        seconds, by = max((worst.seconds, worst.name), (found.seconds, name))
        worst = Worst(seconds, by, max(worst.mib, found.mib))
        if found.seconds > MOST_S or found.mib > MOST_MIB:
            shown = f"{name} ({path.stat().st_size:,} bytes)"
            say(f"| | {shown} | {found.seconds:.3f} | {found.mib:.0f} |")
    return worst


def say(line: str = "") -> None:
    """Print a line at once: a table grows while it is computed."""
    print(line, flush=True)  # noqa: T201


def main() -> int:
    """Print the table; return 1 where something is above its bound."""
    parser = argparse.ArgumentParser(prog="make bounds")
    parser.add_argument("--random", type=int, default=1_000, help="random texts, and files")
    parser.add_argument("--costly", type=int, default=200, help="costly texts, and files")
    parser.add_argument("--what", choices=("texts", "files", "all"), default="all")
    given = parser.parse_args()
    say(f"At most {MOST_S:.0f} s and {MOST_MIB} MiB; lines without a stage are above that.")
    say()
    say("| stage | costliest | s | MiB |")
    say("|---|---|---|---|")
    chance = [(f"random {n}", t) for n, t in enumerate(random_texts(given.random, _SEED))]
    costly = [(ascii(text[:8]) + " …", text) for text in costly_texts(given.costly)]
    above = 0
    for stage in STAGES if given.what != "files" else ():
        worst = in_a_process(partial(measured, stage, [*chance, *costly]))
        above += told(stage.name, worst)
    if given.what == "texts":
        return 1 if above else 0
    with tempfile.TemporaryDirectory() as folder:
        read_file(folder)
        files = random_files(given.random // 10, _SEED)
        above += told("a random file", of_files(files, Path(folder)))
        above += told("a costly file", of_files(costly_files(given.costly), Path(folder)))
    return 1 if above else 0


def told(name: str, worst: Worst) -> bool:
    """Print a line of the table; tell whether it is above the bounds."""
    say(f"| {name} | {worst.name} | {worst.seconds:.3f} | {worst.mib:.0f} |")
    return worst.seconds > MOST_S or worst.mib > MOST_MIB


if __name__ == "__main__":
    sys.exit(main())
