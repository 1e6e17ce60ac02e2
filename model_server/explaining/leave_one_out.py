"""How much less probable is the label without each word?"""

import numpy as np

from model_server.explaining.variants import Design, Floats


def design(words: int, rng: np.random.Generator) -> Design:
    """Return a variant without each word; nothing in it is random."""
    del rng
    return Design.of(~np.eye(words, dtype=np.bool_), np.ones(words))


def weights(design: Design, values: Floats) -> Floats:
    """Return by how much the label's probability falls when a word alone is left out."""
    del design
    result: Floats = values[0] - values[2:]
    return result
