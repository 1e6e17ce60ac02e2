"""Files of a tar or zip that are read together, kept on the disk until all of them are there."""

import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from producers.archives.byte_stream import PieceFile
from producers.archives.member import Member
from schemas.label_files.tweeteval import LABELS_ENDING, MAPPING, TEXTS_ENDING


class PairedFiles:
    """Keeps TweetEval's files in a folder, under names of its own making."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers: dict[str, int] = {}
        self._texts: dict[str, Path] = {}

    def wants(self, name: str) -> bool:
        """Tell by its name whether a file may belong to others."""
        own_name = PurePosixPath(name).name
        return own_name == MAPPING or own_name.endswith((TEXTS_ENDING, LABELS_ENDING))

    def take(self, member: Member) -> None:
        """Keep a file. Raises what reading its content raises, and `OSError`."""
        beside = self._folder / self._number(str(PurePosixPath(member.name).parent))
        beside.mkdir(exist_ok=True)
        kept = beside / MAPPING
        for ending in (TEXTS_ENDING, LABELS_ENDING):
            if member.name.endswith(ending):
                kept = beside / (self._number(member.name.removesuffix(ending)) + ending)
        if kept.name.endswith(TEXTS_ENDING):
            self._texts[member.name] = kept
        with kept.open("wb") as file:
            shutil.copyfileobj(PieceFile(member.content), file)

    def texts(self) -> Iterator[tuple[str, Path]]:
        """Yield the files of texts by name, in their order; their labels lie beside them."""
        yield from self._texts.items()

    def _number(self, name: str) -> str:
        return str(self._numbers.setdefault(name, len(self._numbers)))
