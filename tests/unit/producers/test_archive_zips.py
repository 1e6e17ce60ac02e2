"""Files within a zip: all of them, and a word where one cannot be read."""

import io
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.archives.expansion import DamagedFile
from producers.archives.zip_members import is_zip, zip_members

Files = list[tuple[str, bytes]]


def zip_of(files: Files, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        archive.mkdir("folder")
        for name, content in files:
            archive.writestr(name, content)
    return packed.getvalue()


def read(content: bytes) -> list[tuple[int, str, bytes | str]]:
    """Number, name, and the content or the word on what is damaged."""
    found: list[tuple[int, str, bytes | str]] = []
    for member in zip_members(io.BytesIO(content)):
        try:
            whole: bytes | str = member.damage or b"".join(member.content)
        except DamagedFile as damage:
            whole = str(damage)
        found.append((member.number, member.name, whole))
    return found


many_files = st.dictionaries(
    st.text("abc/é", min_size=1, max_size=20).map(lambda name: f"x{name}x"),
    st.binary(max_size=1_500),
    max_size=5,
).map(lambda files: list(files.items()))


@given(many_files, st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
def test_each_file_is_read_whole_and_folders_are_none(files: Files, compression: int) -> None:
    content = zip_of(files, compression)
    assert is_zip(content)
    assert read(content) == [(number, *file) for number, file in enumerate(files)]


@given(many_files, st.data())
def test_whatever_is_destroyed_a_file_is_whole_or_said_to_be_damaged(
    files: Files, data: st.DataObject
) -> None:
    content = bytearray(zip_of([("first", b"x" * 100), *files]))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    # A folder whose name was destroyed is an empty file.
    whole = {b"", b"x" * 100, *(file for _, file in files)}
    for _, _, found in read(bytes(content)):
        assert found in whole if isinstance(found, bytes) else found


def test_a_cut_zip_is_one_clear_word() -> None:
    content = zip_of([("a", b"x" * 5_000)])
    [(number, _, damage)] = read(content[:-30])
    assert number == 0
    assert str(damage).startswith("damaged zip, its list of files is missing")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_rare_compression_costs_its_own_file_only(compression: int) -> None:
    packed = io.BytesIO(zip_of([("usual", b"words")]))
    with zipfile.ZipFile(packed, "a", compression) as archive:
        archive.writestr("rare", b"x" * 5_000)
    usual, rare = read(packed.getvalue())
    assert usual[2] == b"words"
    assert "unpack the zip first" in str(rare[2])


def test_an_encrypted_file_says_so() -> None:
    content = bytearray(zip_of([("a", b"words")], zipfile.ZIP_STORED))
    listed = content.rindex(b"PK\x01\x02")
    content[listed + 8] |= 1
    [(_, _, damage)] = read(bytes(content))
    assert damage == "it is encrypted: unpack the zip first"


def test_what_unpacks_to_much_takes_little_memory() -> None:
    content = zip_of([("zeros", b"\0" * 50_000_000)])
    tracemalloc.start()
    try:
        members = zip_members(io.BytesIO(content))
        assert sum(map(len, next(members).content)) == 50_000_000
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < 2_000_000
