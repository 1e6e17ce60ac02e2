"""Word pieces of a text by the tokenizer of the bundle that scored it, without its model."""

import os
from pathlib import Path
from typing import Final

from model_server.bundle import TOKENIZER, Bundle, RefusedBundle
from model_server.cleaning import CLEANING
from retrain.drift.watch.count_tweet import Pieces

_READ_CHARS: Final = 8_192
"""More than a model sees: the rest of a long text is not read."""

_UNKNOWN: Final = ("[UNK]", "<unk>")


class PieceCounter:
    """Counts pieces as the model sees them, of texts that this very model scored.

    Raises `RefusedBundle` where the folder's tokenizer does not load.
    """

    def __init__(self, folder: Path, *, max_tokens: int, cleaning: str) -> None:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        except Exception as error:  # the library raises bare Exceptions
            raise RefusedBundle(f"{folder}: its tokenizer does not load: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=max_tokens)
        self._clean = CLEANING[cleaning]
        self._unknown = {
            number for number in map(self._tokenizer.token_to_id, _UNKNOWN) if number is not None
        }

    @classmethod
    def of(cls, bundle: Bundle) -> "PieceCounter":
        """Return the counter of a bundle's texts."""
        manifest = bundle.manifest
        return cls(bundle.folder, max_tokens=manifest.max_tokens, cleaning=manifest.cleaning)

    def count(self, text: str) -> Pieces:
        """Return the pieces of a text, those that stand for something unknown, and the words."""
        return self.count_cleaned(self._clean(text))

    def count_cleaned(self, text: str) -> Pieces:
        """Return the same of a text that is cleaned already."""
        encoded = self._tokenizer.encode(text[:_READ_CHARS], add_special_tokens=False)
        return Pieces(
            pieces=len(encoded.ids),
            unknown=sum(number in self._unknown for number in encoded.ids),
            words=len(set(encoded.word_ids)),
        )
