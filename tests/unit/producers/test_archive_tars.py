"""Files within a tar: all of them, from any one on, and a word where one cannot be read."""

import gzip
import io
import tarfile
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.archives.expansion import DamagedFile
from producers.archives.tar_members import is_tar, tar_members

Files = list[tuple[str, bytes]]


def tar_of(files: Files, tar_format: int = tarfile.PAX_FORMAT) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tar_format) as tar:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def pieces(content: bytes, size_bytes: int = 700) -> Iterator[bytes]:
    return (content[n : n + size_bytes] for n in range(0, len(content), size_bytes))


def read(content: bytes) -> list[tuple[int, str, bytes | str]]:
    """Number, name, and the content or the word on what is damaged."""
    found: list[tuple[int, str, bytes | str]] = []
    for member in tar_members(pieces(content)):
        if member.damage is not None:
            found.append((member.number, member.name, member.damage))
            continue
        parts: list[bytes] = []
        try:
            parts.extend(member.content)
        except DamagedFile as damage:
            found.append((member.number, member.name, str(damage)))
        else:
            found.append((member.number, member.name, b"".join(parts)))
    return found


names = st.text("abc/é", min_size=1, max_size=150).map(lambda name: "x" + name)
many_files = st.lists(st.tuples(names, st.binary(max_size=1_500)), max_size=5)


@given(many_files, st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]))
def test_each_file_is_read_whole(files: Files, tar_format: int) -> None:
    wanted = [(number, name.rstrip("/"), content) for number, (name, content) in enumerate(files)]
    found = [
        (number, name.rstrip("/"), content)
        for number, name, content in read(tar_of(files, tar_format))
    ]
    assert found == wanted


@given(many_files, st.data())
def test_a_cut_tar_gives_what_is_whole_and_a_word_on_the_rest(
    files: Files, data: st.DataObject
) -> None:
    content = tar_of(files, tarfile.GNU_FORMAT)
    end = len(content.rstrip(b"\0"))
    cut = data.draw(st.integers(0, max(end - 1, 0)))
    found = read(content[:cut])
    if cut:
        assert isinstance(found[-1][2], str)
    whole = [(number, body) for number, _, body in found if isinstance(body, bytes)]
    assert all(files[number][1] == body for number, body in whole)


def test_a_destroyed_header_costs_its_own_file_only() -> None:
    content = bytearray(tar_of([(name, name.encode() * 600) for name in "abc"], tarfile.GNU_FORMAT))
    content[1536:1600] = b"\xff" * 64
    first, lost, last = read(bytes(content))
    assert (first[1], last[1], last[2]) == ("a", "c", b"c" * 600)
    assert lost[2] == "damaged tar: no valid header in bytes 1536 to 3072"


@pytest.mark.parametrize(
    "beginning",
    [b"", b"{" * 600, b"\0" * 1024, gzip.compress(b"x" * 9000, mtime=0)],
    ids=["nothing", "text", "zeros", "gzip"],
)
def test_other_files_are_no_tars(beginning: bytes) -> None:
    assert not is_tar(beginning)


@given(st.binary(max_size=2_000))
def test_any_bytes_behind_a_header_raise_nothing_but_damage(garbage: bytes) -> None:
    content = tar_of([("a", b"x" * 10)], tarfile.GNU_FORMAT)[:1024] + garbage
    assert read(content)[0] == (0, "a", b"x" * 10)
