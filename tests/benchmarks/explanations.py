"""`python -m tests.benchmarks.explanations`: how long tweets of 16 words take to explain.

With the shipped model, on one core, without a cache. Wall time is what a caller waits for; CPU time
does not depend on what else the machine does. Beside them stands the load at the time.
"""

import sys
import time
from itertools import islice
from statistics import median

import msgspec

from model_server.explaining.explain import Method, explain, probabilities_of
from model_server.scorer import load_scorer
from tests.benchmarks.machine import machine
from tests.benchmarks.texts import distinct_texts

_WORDS = 16
_TWEETS = 40
_SEED = 5


def main() -> int:
    scorer = load_scorer(None, cache_size=0)
    tweets = [
        " ".join(text.split()[:_WORDS])
        for text in islice(distinct_texts(_SEED, 1_000), 1_000)
        if len(text.split()) >= _WORDS
    ][:_TWEETS]
    found: dict[str, object] = {"machine": machine(), "tweets": len(tweets), "words": _WORDS}
    for method in Method:
        wall_ms, cpu_ms = [], []
        for tweet in tweets:
            began_s, began_cpu_s = time.perf_counter(), time.process_time()
            explain(
                tweet,
                lambda texts: probabilities_of(scorer.predict(texts)),
                scorer.labels,
                method,
            )
            wall_ms.append(1000 * (time.perf_counter() - began_s))
            cpu_ms.append(1000 * (time.process_time() - began_cpu_s))
        found[method.value] = {
            "p50_ms": round(median(wall_ms)),
            "p50_cpu_ms": round(median(cpu_ms)),
            "least_ms": round(min(wall_ms)),
        }
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
