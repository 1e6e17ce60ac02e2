"""Word pieces of a text by the tokenizer of the bundle that scored it, without its model."""

import os
from typing import Final

from model_server.bundle import TOKENIZER, Bundle, RefusedBundle
from model_server.cleaning import CLEANING
from retrain.drift.watch.count_tweet import Pieces

_READ_CHARS: Final = 8_192
"""More than a model sees: the rest of a long text is not read."""

_UNKNOWN: Final = ("[UNK]", "<unk>")


class PieceCounter:
    """Counts pieces as the model sees them, of texts that this very model scored."""

    def __init__(self, bundle: Bundle) -> None:
        """Read a bundle's tokenizer; raise `RefusedBundle` where it does not load."""
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_file(str(bundle.folder / TOKENIZER))
        except Exception as error:  # the library raises bare Exceptions
            raise RefusedBundle(f"{bundle.folder}: its tokenizer does not load: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=bundle.manifest.max_tokens)
        self._clean = CLEANING[bundle.manifest.cleaning]
        self._unknown = {
            number for number in map(self._tokenizer.token_to_id, _UNKNOWN) if number is not None
        }
        self.model_sha256 = bundle.identity.sha256

    def count(self, text: str) -> Pieces:
        """Return the pieces of a text, those that stand for something unknown, and the words."""
        encoded = self._tokenizer.encode(self._clean(text)[:_READ_CHARS], add_special_tokens=False)
        return Pieces(
            pieces=len(encoded.ids),
            unknown=sum(number in self._unknown for number in encoded.ids),
            words=len(set(encoded.word_ids)),
        )
