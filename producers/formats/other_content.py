"""Content that is no archive of tweets in any format, called by its name."""

import re
from typing import Final

from producers.archives.tar_members import is_tar

_TO_UTF_8: Final = "convert it to UTF-8 first, `iconv -f {0} -t UTF-8`"
_OFFICE_FOLDERS: Final = {
    b"xl/": "an Excel workbook: save it as CSV (UTF-8)",
    b"word/": "a Word document: save it as text",
    b"content.xml": "an OpenDocument file: save it as CSV (UTF-8)",
    b"mimetypeapplication/vnd.oasis": "an OpenDocument file: save it as CSV (UTF-8)",
    b"Index/Document.iwa": "a Numbers or Pages document: export it as CSV",
}
_BEGINNINGS: Final = (
    (b"\xff\xfe\0\0", f"UTF-32: {_TO_UTF_8.format('UTF-32')}"),
    (b"\0\0\xfe\xff", f"UTF-32: {_TO_UTF_8.format('UTF-32')}"),
    (b"\xff\xfe", f"UTF-16: {_TO_UTF_8.format('UTF-16')}"),
    (b"\xfe\xff", f"UTF-16: {_TO_UTF_8.format('UTF-16')}"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Word file: save it as CSV (UTF-8)"),
    (b"\x1f\x8b", "compressed twice: decompress it once, `zcat FILE`"),
    (b"BZh9", "compressed twice: decompress it once"),
    (b"\x28\xb5\x2f\xfd", "compressed twice: decompress it once"),
    (b"SQLite format 3\0", "an SQLite database: export its table as CSV"),
    (b"\xfd7zXZ\0", "compressed with xz, which is not read: decompress it, `xz -dc FILE`"),
    (b"\x04\x22\x4d\x18", "compressed with lz4, which is not read: decompress it, `lz4 -dc FILE`"),
    (b"\xff\x06\0\0sNaPpY", "compressed with snappy, which is not read: decompress it"),
    (b"\x1f\x9d", "compressed with compress, which is not read: decompress it, `zcat FILE`"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive, which is not read: unpack it"),
    (b"Rar!\x1a\x07", "a RAR archive, which is not read: unpack it"),
    (b"PAR1", "Parquet that was compressed as a whole: decompress it first"),
    (b"ARROW1\0\0", "an Arrow file: write it as Parquet or CSV"),
    (b"ORC", "an ORC file: write it as Parquet or CSV"),
    (b"Obj\x01", "an Avro file: write it as JSON lines"),
    (b"RDX2\n", "R's own data: write it as CSV (write.csv)"),
    (b"RDX3\n", "R's own data: write it as CSV (write.csv)"),
    (b"X\n\0\0\0", "R's own data (rds): write it as CSV (write.csv)"),
    (b"\x80\x04\x95", "a Python pickle, which is never opened: write it as JSON lines or CSV"),
    (b"\x80\x05\x95", "a Python pickle, which is never opened: write it as JSON lines or CSV"),
    (b"\x80\x03", "a Python pickle, which is never opened: write it as JSON lines or CSV"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file: write it as CSV"),
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "a rich text document: save it as plain text"),
    (b"bplist00", "a property list, as a browser's .webarchive is"),
)
_MARKUP: Final = re.compile(rb"\s*<(?:!doctype\s+html|html|\?xml|feed|rss)\b", re.IGNORECASE)
_PYTHON: Final = re.compile(rb"\s*\[?\s*\{\s*(?:u?'[^'\\]{1,64}'|b'[^'\\]{1,64}')\s*:")
_IDS_ALONE: Final = re.compile(
    rb'(?:\xef\xbb\xbf)?(?:"?[a-z_]*id"?\r?\n)?(?:"?[0-9]{5,20}"?\s+){2,}"?[0-9]*"?\Z',
    re.IGNORECASE,
)
_YAML: Final = re.compile(rb"(?:---[^\S\n]*\n|- )(?:[\w\s-]{0,40}: )", re.ASCII)
_HAR: Final = re.compile(rb'\s*\{\s*"log"\s*:\s*\{\s*"version"')
_POSTMAN: Final = re.compile(rb'\s*\{\s*"info"\s*:\s*\{[^{}]{0,500}"_postman_id"')
_PATTERNS: Final = (
    (_MARKUP, "a page of HTML or XML, perhaps an error in the place of a download"),
    (_PYTHON, "Python's own notation, no JSON: write it with json.dumps"),
    (re.compile(rb'\s*"\{\\"'), "JSON within strings of JSON: take it out, `jq -r . FILE`"),
    (re.compile(rb"\s*\x1e"), "a JSON text sequence: take the marks away, `tr -d '\\036'`"),
    (
        re.compile(rb"\s*(?://|/\*)"),
        "JSON below a comment, which JSON does not have: remove the lines before the first [ or {",
    ),
    (
        re.compile(rb"\s*\{\s*\"?_id\"?\s*:\s*ObjectId\("),
        "what MongoDB's shell shows, no JSON: write it with mongoexport",
    ),
    (
        re.compile(rb'\s*\[\s*(?:\[\s*)?(?:"|[0-9]|null\s*,)'),
        "lists without names of their values: write objects, `jq -c '{id: .[0], text: .[1]}'`",
    ),
    (
        re.compile(rb'[^\s{}"\[,][^{}"\[\n,]{0,200}\t\{"'),
        "JSON behind a key on each line: take the keys away, `sed 's/^[^{]*//' FILE`",
    ),
    (
        re.compile(rb"[^\n]{1,10000}\n[\s|+]*-{2,}(?:\s*[+|]\s*-{2,})+[\s|+]*\n"),
        "a table as a terminal shows it: write it as CSV (psql: \\copy … csv header)",
    ),
    (_YAML, "YAML, which is not read: write it as JSON lines, `yq -o=json -I=0 '.[]' FILE`"),
    (_HAR, "a browser's log of requests (HAR): save the answers in it as files of their own"),
    (_POSTMAN, "a collection of Postman: save the answers in it as files of their own"),
    (_IDS_ALONE, "a list of ids without texts: fetch the tweets first"),
)
_LOOKED_AT_BYTES: Final = 4_096


def fault_of_container(beginning: bytes) -> str | None:
    """Return what a file is that is read by no format, and what would help; None for others."""
    for start, called in _BEGINNINGS:
        if beginning.startswith(start):
            return f"it is {called}"
    if is_tar(beginning):
        return "it is a tar within another file: unpack what holds it"
    if beginning.startswith(b"PK\x03\x04"):
        office = office_document(beginning)
        return f"it is {office or 'a zip, which is read only as a file of its own: unpack it'}"
    for pattern, called in _PATTERNS:
        if pattern.match(beginning):
            return f"it is {called}"
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
    shown = "".join(str(round(share)) for share in zeros)
    order = {"0111": "UTF-32LE", "1110": "UTF-32BE", "0101": "UTF-16LE", "1010": "UTF-16BE"}.get(
        shown
    )
    if order is None:
        return None
    return (
        f"it is {order[:6]} without a mark: convert it to UTF-8 first, `iconv -f {order} -t UTF-8`"
    )
