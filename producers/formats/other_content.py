"""Content that is no archive of tweets in any format, called by its name."""

import re
from typing import Final

from producers.archives.tar_members import is_tar

_UTF_32: Final = (b"\xff\xfe\0\0", b"\0\0\xfe\xff")
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_OFFICE_FOLDERS: Final = {
    b"xl/": "an Excel workbook: save it as CSV (UTF-8)",
    b"word/": "a Word document: save it as text",
    b"content.xml": "an OpenDocument file: save it as CSV (UTF-8)",
    b"mimetypeapplication/vnd.oasis": "an OpenDocument file: save it as CSV (UTF-8)",
    b"Index/Document.iwa": "a Numbers or Pages document: export it as CSV",
}
_BEGINNINGS: Final = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel or Word file: save it as CSV (UTF-8)",
    b"SQLite format 3\0": "an SQLite database: export its table as CSV",
    b"\xfd7zXZ\0": "compressed with xz, which is not read: decompress it, `xz -dc FILE`",
    b"\x04\x22\x4d\x18": "compressed with lz4, which is not read: decompress it, `lz4 -dc FILE`",
    b"\xff\x06\0\0sNaPpY": "compressed with snappy, which is not read: decompress it",
    b"\x1f\x9d": "compressed with compress, which is not read: decompress it, `zcat FILE`",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive, which is not read: unpack it",
    b"Rar!\x1a\x07": "a RAR archive, which is not read: unpack it",
    b"PAR1": "Parquet that was compressed as a whole: decompress it first",
    b"ARROW1\0\0": "an Arrow file: write it as Parquet or CSV",
    b"ORC": "an ORC file: write it as Parquet or CSV",
    b"Obj\x01": "an Avro file: write it as JSON lines",
    b"RDX2\n": "R's own data: write it as CSV (write.csv)",
    b"RDX3\n": "R's own data: write it as CSV (write.csv)",
    b"X\n\0\0\0": "R's own data (rds): write it as CSV (write.csv)",
    b"\x80\x04\x95": "a Python pickle, which is never opened: write it as JSON lines or CSV",
    b"\x80\x05\x95": "a Python pickle, which is never opened: write it as JSON lines or CSV",
    b"\x80\x03": "a Python pickle, which is never opened: write it as JSON lines or CSV",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file: write it as CSV",
    b"%PDF-": "a PDF document",
    b"{\\rtf": "a rich text document: save it as plain text",
    b"bplist00": "a property list, as a browser's .webarchive is",
}
_MARKUP: Final = re.compile(rb"\s*<(?:!doctype\s+html|html|\?xml|feed|rss)\b", re.IGNORECASE)
_PYTHON: Final = re.compile(rb"\s*\[?\s*\{\s*(?:u?'[^'\\]{1,64}'|b'[^'\\]{1,64}')\s*:")
_LOOKED_AT_BYTES: Final = 4_096


def fault_of_container(beginning: bytes) -> str | None:
    """Return what a file is that is read by no format, and what would help; None for others."""
    if beginning.startswith(_UTF_32):
        return "it is UTF-32: convert it to UTF-8 first, `iconv -f UTF-32 -t UTF-8`"
    if beginning.startswith(_UTF_16):
        return "it is UTF-16: convert it to UTF-8 first, `iconv -f UTF-16 -t UTF-8`"
    if is_tar(beginning):
        return "it is a tar within another file: unpack what holds it"
    if beginning.startswith(b"PK\x03\x04"):
        office = office_document(beginning)
        if office is not None:
            return f"it is {office}"
        return "it is a zip, which is read only as a file of its own: unpack what holds it"
    for start, called in _BEGINNINGS.items():
        if beginning.startswith(start):
            return f"it is {called}"
    if _MARKUP.match(beginning):
        return "it is a page of HTML or XML, perhaps an error in the place of a download"
    if _PYTHON.match(beginning):
        return "it is Python's own notation, no JSON: write it with json.dumps"
    return _wide(beginning[:_LOOKED_AT_BYTES])


def office_document(beginning: bytes) -> str | None:
    """Return what a zip is that an office program wrote, None for any other."""
    if b"[Content_Types].xml" in beginning or b"mimetype" in beginning or b".iwa" in beginning:
        return next((said for name, said in _OFFICE_FOLDERS.items() if name in beginning), None)
    return None


def _wide(beginning: bytes) -> str | None:
    """Tell UTF-16 and UTF-32 without a mark by the zeros in what would be ASCII."""
    if b"\0" not in beginning or len(beginning) < 8:
        return None
    size = len(beginning) - len(beginning) % 4
    zeros = [beginning[n:size:4].count(0) * 4 / size for n in range(4)]
    order = {
        (0, 1, 1, 1): "UTF-32LE",
        (1, 1, 1, 0): "UTF-32BE",
        (0, 1, 0, 1): "UTF-16LE",
        (1, 0, 1, 0): "UTF-16BE",
    }.get(tuple(round(share) for share in zeros))  # type: ignore[call-overload]
    if order is None:
        return None
    return f"it is {order[:6]} without a mark: convert it to UTF-8 first, `iconv -f {order} -t UTF-8`"
