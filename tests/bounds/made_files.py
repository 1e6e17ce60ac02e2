"""Files of tweets at random, damaged here and there, and files made to be costly."""

import gzip
import io
import json
import random
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

MIB: Final = 1024 * 1024
_ID: Final = 1_367_406_984_688_570_369
_MAX_RANDOM_ROWS: Final = 60


def _tweets(chance: random.Random, count: int) -> list[dict[str, object]]:
    return [
        {"id": str(_ID + n), "text": f"words {chance.random()}", "created_at": "2021-03-04"}
        for n in range(count)
    ]


def _as_csv(rows: list[dict[str, object]], delimiter: str) -> bytes:
    lines = [delimiter.join(rows[0]), *(delimiter.join(map(str, r.values())) for r in rows)]
    return "\n".join(lines).encode()


def random_files(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield small files of all kinds, half of them with bytes changed, cut or doubled."""
    chance = random.Random(seed)
    shapes: tuple[Callable[[list[dict[str, object]]], bytes], ...] = (
        lambda rows: "\n".join(map(json.dumps, rows)).encode(),
        lambda rows: json.dumps(rows, indent=chance.choice((None, 2))).encode(),
        lambda rows: json.dumps({"data": rows, "meta": {}}).encode(),
        lambda rows: json.dumps({"statuses": rows}).encode(),
        lambda rows: json.dumps({str(n): row for n, row in enumerate(rows)}).encode(),
        lambda rows: _as_csv(rows, ","),
        lambda rows: _as_csv(rows, "\t"),
    )
    packings: tuple[Callable[[bytes], bytes], ...] = (
        bytes,
        bytes,
        gzip.compress,
        zstandard.ZstdCompressor().compress,
        lambda content: _zip({"a.jsonl": content}),
    )
    for number in range(count):
        content = chance.choice(shapes)(_tweets(chance, chance.randrange(1, _MAX_RANDOM_ROWS)))
        if number % 2:
            content = _damaged(content, chance)
        content = chance.choice(packings)(content)
        yield f"random {number}", _damaged(content, chance) if number % 7 == 0 else content


def _damaged(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(len(changed))
        changed[at : at + chance.randrange(3)] = bytes(
            chance.choice((b'"', b"\n", b"{", b"[", b"\0", b",", b"\xff", b"\\", b"}", b"\r"))
        )
    return bytes(changed[: chance.choice((None, None, len(changed) // 2))])


def _zip(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _tar(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _parquet(table: pa.Table, **options: object) -> bytes:
    packed = io.BytesIO()
    pq.write_table(table, packed, compression="zstd", **options)
    return packed.getvalue()


# What is repeated, as much of it as packs to some kilobytes.
_HEAD: Final = b"id,text\n12345,words\n"
_FILLINGS: Final[dict[str, bytes]] = {
    "zeros": b"\0",
    "line feeds": b"\n",
    "carriage returns": b"\r",
    "commas": b",",
    "rows of commas": b",\n",
    "rows": b"12345,words\n",
    "quotes": b'"',
    "opened quotes": b'a","\n',
    "quoted rows": b'12345,"a\nb"\n',
    "brackets": b"[",
    "braces": b"{",
    "named braces": b'{"a":',
    "objects": b"{}\n",
    "tweets": b'{"id":"1367406984688570369","text":"w"}\n',
    "numbers": b"1,",
    "backslashes": b"\\",
    "surrogates": b"\\ud83d",
    "entities": b"&amp;",
    "bytes that are no UTF-8": b"\xff",
}
_BEGINNINGS: Final = (b"", _HEAD, b'{"data":[', b'[{"id":"1","text":"', b'{"id":"1","text":"')
_PACKED_BYTES: Final = 70 * MIB
_PLAIN_BYTES: Final = 2 * MIB


def costly_files(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield files that unpack to much, and plain ones of 2 MiB that are one pattern."""
    yield from islice(_costly(), count)


def _costly() -> Iterator[tuple[str, bytes]]:
    yield from _by_hand()
    level = zstandard.ZstdCompressor(level=3)
    for name, filling in _FILLINGS.items():
        for number, beginning in enumerate(_BEGINNINGS):
            size = _PACKED_BYTES // len(filling)
            yield f"zstd, {name}, {number}", level.compress(beginning + filling * size)
            size = _PLAIN_BYTES // len(filling)
            yield f"plain, {name}, {number}", beginning + filling * size


def _by_hand() -> Iterator[tuple[str, bytes]]:
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000), pa.array(["x" * 4_000_000]))
    yield "Parquet, a dictionary", _parquet(pa.table({"text": texts}))
    yield "Parquet, nulls", _parquet(pa.table({"text": pa.nulls(8_000_000, pa.string())}))
    table = pa.table({"text": ["x" * 100_000 + str(n) for n in range(3_000)]})
    encoding = {"text": "DELTA_BYTE_ARRAY"}
    yield (
        "Parquet, shared beginnings",
        _parquet(table, use_dictionary=False, column_encoding=encoding),
    )
    yield "zip, many small files", _zip({f"{n}.csv": _HEAD for n in range(2_000)})
    yield "tar, many small files", _tar({f"{n}.csv": _HEAD for n in range(2_000)})
    yield "tar of gzips", _tar({f"{n}.gz": gzip.compress(_HEAD + bytes(MIB)) for n in range(99)})
    long = {"id": "1", "text": "&amp;" * 10_000}
    refers = [
        {"id": str(_ID + n), "text": "w", "referenced_tweets": [{"type": "retweeted", "id": "1"}]}
        for n in range(10_000)
    ]
    page = {"data": refers, "includes": {"tweets": [long]}, "meta": {}}
    yield "page, one text repeated by all", json.dumps(page).encode()
    page["includes"] = {"tweets": [{"id": "1", "text": "x" * 8 * MIB}]}
    yield "page of 9 MiB, one text of 8 MiB", json.dumps(page).encode()
    objects = [{"id": str(_ID + n), "text": "w"} for n in range(60_000)]
    yield "page of 60,000 tweets", json.dumps({"data": objects, "meta": {}}).encode()
    yield "one row of 2,000,000 cells", b"id,text\n" + b'"",' * 2_000_000
    yield "a line that is torn again and again", b'{"a":[1,' * 60_000 + b"1," * 200_000
    yield "documents on a line", json.dumps(objects[0]).encode() * 20_000
    columns = {name: {str(n): "w" for n in range(99_000)} for name in ("id", "text")}
    yield "a data frame of 99,000 rows", json.dumps(columns).encode()
    nested: object = {"rest_id": "1", "legacy": {"full_text": "w"}}
    for _ in range(200):
        nested = {"a": [nested] * 2} if _ < 12 else {"a": [nested]}
    yield "results that lie deep", json.dumps(nested).encode()
