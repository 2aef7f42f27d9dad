"""What an uploaded file is, and whether it holds anything that could run when it is opened.

The content decides, never the name or the browser's word. Refused are files that are two things
at once, and the known ways for a document to act by itself: scripts, programs, macros, embedded
files, forms that send data and templates fetched from elsewhere. This is no virus scanner; the
operator has one on the machines where files are opened (docs/security.md, V12.4.2).
"""

import io
import itertools
import re
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import puremagic
from defusedxml.ElementTree import fromstring
from django.utils.translation import gettext as _

from organisations.errors import InvalidInput
from organisations.masking import masked

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
_OFFICE = "application/vnd.openxmlformats-officedocument."
DOCX, XLSX = f"{_OFFICE}wordprocessingml.document", f"{_OFFICE}spreadsheetml.sheet"

# A container that unpacks to more than this, or to so many times its size, is no document.
MAX_UNPACKED = 256 * 1024 * 1024
MAX_PARTS = 5_000
MAX_RATIO = 250
SMALL = 1024 * 1024

MAX_STREAMS = 100_000
CHUNK = 16 * 1024


def _pdf_names(*names: str) -> re.Pattern[bytes]:
    """Any of the names as a PDF may write them: each letter as it is or as ``#`` and two digits."""

    def letter(byte: int) -> str:
        digits = f"{byte:02x}"
        return f"(?:{chr(byte)}|#{digits[0]}[{digits[1]}{digits[1].upper()}])"

    spelled = "|".join("".join(map(letter, name.encode())) for name in names)
    return re.compile(f"/(?:{spelled})(?![A-Za-z0-9])".encode())


# Names in a PDF whose presence means that it acts, carries files or cannot be looked through.
_PDF_ACTIVE = _pdf_names(
    *("JavaScript", "Launch", "EmbeddedFile", "EmbeddedFiles", "RichMedia", "XFA", "SubmitForm"),
    *("ImportData", "GoToE", "Rendition"),
)
_PDF_ENCRYPTED = _pdf_names("Encrypt")
_PDF_STREAM = re.compile(rb"stream[ \t]*\r?\n")
_MARKUP = re.compile(rb"<(?:script|html|iframe|!doctype|\?php|svg[\s>])", re.IGNORECASE)
_ZIP_END = b"PK\x05\x06"
_ZIP_TAIL = 66_000  # the longest comment that a zip file can end with, and its end record
_OFFICE_ACTIVE = re.compile(
    r"vbaproject|/activex/|/embeddings/|/externallinks/|oleobject|macrosheets|customui",
    re.IGNORECASE,
)
# Relations to the outside that a program follows when the document is opened; a link is not one.
_FETCHED = ("/attachedTemplate", "/oleObject", "/frame", "/subDocument")


def checked_type(content: bytes, *, allowed: Collection[str], refusal: str) -> str:
    """The content's type, when it is one of the allowed and holds nothing that acts by itself.

    Raises :class:`InvalidInput` at ``file``: with ``refusal`` for another type, else with what the
    file holds.
    """
    found = _type_of(content)
    if found not in allowed:
        raise refused(refusal)
    if found == PDF:
        _check_pdf(content)
    elif found in {JPEG, PNG}:
        _check_picture(content)
    else:
        _check_office(content)
    return found


def refused(text: str) -> InvalidInput:
    return InvalidInput(text, fields={"file": text})


def safe_name(name: str, *, otherwise: str) -> str:
    """What is kept of a file's name: no path, no signs that a file system minds."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    cleaned = "".join(c for c in base if c.isprintable() and c not in '"<>|:*?').strip(". ")
    return masked(cleaned or otherwise)[-150:]


def check_container(content: bytes, *, unpacked: int = MAX_UNPACKED) -> zipfile.ZipFile:
    """A zip file that is safe to unpack, before a byte of it is: few parts of sane sizes.

    The sizes are what it says of itself; a part never unpacks to more than it says.
    """
    try:
        packed = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
        raise refused(_("Filen är skadad och går inte att läsa.")) from error
    parts = packed.infolist()
    whole = sum(part.file_size for part in parts)
    if len(parts) > MAX_PARTS or whole > unpacked:
        raise refused(_("Filen är för stor uppackad."))
    if whole > SMALL and whole > MAX_RATIO * len(content):
        raise refused(_("Filen är för stor uppackad."))
    if any(part.flag_bits & 1 for part in parts):
        raise refused(_("Filen är skyddad med lösenord. Ta bort skyddet och försök igen."))
    return packed


def _type_of(content: bytes) -> str:
    if content.startswith(b"%PDF-"):
        return PDF
    if content.startswith(b"PK"):
        return _office_type(content)
    try:
        return str(puremagic.from_string(content, mime=True))
    except Exception:  # noqa: BLE001 – a guess about hostile bytes; what it raises is not written down
        return ""


def _office_type(content: bytes) -> str:
    """What a zip file says that its main part is (ECMA-376 part 2, 7.2.3), if it is a document."""
    with check_container(content) as packed:
        try:
            types = _read_small(packed, packed.getinfo("[Content_Types].xml"))
        except KeyError:
            return ""
    main = {entry.get("ContentType", "").removesuffix(".main+xml") for entry in types}
    return next((kind for kind in (DOCX, XLSX) if kind in main), "")


def _check_pdf(content: bytes) -> None:
    _refuse_second_format(content)
    if _PDF_ENCRYPTED.search(content):
        raise refused(_("PDF-filen är krypterad. Ta bort skyddet och försök igen."))
    for part in itertools.chain((content,), _unpacked_streams(content)):
        if _PDF_ACTIVE.search(part):
            raise refused(
                _(
                    "PDF-filen innehåller skript, inbäddade filer eller formulär som skickar data. "
                    "Skriv ut den till en ny PDF och bifoga den."
                )
            )


def _unpacked_streams(content: bytes) -> Iterator[bytes]:
    """What stands in the compressed streams, where objects may hide, in pieces that overlap."""
    left = MAX_UNPACKED
    for number, found in enumerate(_PDF_STREAM.finditer(content)):
        position, tail = found.end(), b""
        if not _begins_compressed(content, position):
            continue
        if number > MAX_STREAMS:
            raise refused(_("Filen är för stor uppackad."))
        unpacker = zlib.decompressobj()
        while position < len(content) and not unpacker.eof:
            try:
                piece = unpacker.decompress(content[position : position + CHUNK])
            except zlib.error:
                break
            position += CHUNK
            left -= len(piece)
            if left <= 0:
                raise refused(_("Filen är för stor uppackad."))
            yield tail + piece
            tail = piece[-64:]


def _begins_compressed(content: bytes, position: int) -> bool:
    """The two bytes that zlib's format begins with (RFC 1950, 2.2)."""
    start = content[position : position + 2]
    return len(start) == 2 and start[0] & 15 == 8 and int.from_bytes(start) % 31 == 0


def _check_picture(content: bytes) -> None:
    _refuse_second_format(content)
    if b"%PDF-" in content[:2048] or _MARKUP.search(content):
        raise refused(_("Bilden innehåller annat än en bild."))


def _refuse_second_format(content: bytes) -> None:
    """A picture or PDF with a zip file behind it opens as either."""
    if _ZIP_END in content[-_ZIP_TAIL:]:
        raise refused(_("Filen innehåller ett dolt arkiv."))


def _check_office(content: bytes) -> None:
    with check_container(content) as packed:
        if any(_OFFICE_ACTIVE.search(f"/{part.filename}") for part in packed.infolist()):
            raise refused(_("Dokumentet innehåller makron eller inbäddade filer. Ta bort dem."))
        for part in packed.infolist():
            name = part.filename.casefold()
            if name.endswith(".rels") or name == "[content_types].xml":
                _check_relations(_read_small(packed, part))


def _check_relations(entries: Iterable[Any]) -> None:
    """What the parts are and where they are fetched from."""
    for entry in entries:
        kind, mode = entry.get("Type", ""), entry.get("TargetMode", "")
        fetched = mode.casefold() == "external" and kind.endswith(_FETCHED)
        if fetched or "macroenabled" in entry.get("ContentType", "").casefold():
            raise refused(
                _("Dokumentet hämtar innehåll från annat håll eller har makron. Ta bort dem.")
            )


def _read_small(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterable[Any]:
    """The entries of one of the small parts that say what the others are."""
    if part.file_size > SMALL:
        raise refused(_("Filen är för stor uppackad."))
    try:
        return list(fromstring(packed.read(part)).iter())
    except Exception as error:  # broken data raises whatever its method of packing does
        raise refused(_("Filen är skadad och går inte att läsa.")) from error
