"""Hostile files, made here: none of them does anything."""

import io
import zipfile
import zlib

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6364600000000600023081d02f0000000049454e44ae426082"
)
JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + b"\x00" * 64 + b"\xff\xd9"
ZIP_END = b"PK\x05\x06" + b"\x00" * 18


def pdf(objects: bytes) -> bytes:
    return b"%PDF-1.7\n1 0 obj<<" + objects + b">>endobj\ntrailer<<>>\n%%EOF\n"


def pdf_with_stream(plain: bytes) -> bytes:
    packed = zlib.compress(plain)
    head = b"%%PDF-1.7\n1 0 obj<</Type/ObjStm/Filter/FlateDecode/Length %d>>stream\n" % len(packed)
    return head + packed + b"\nendstream endobj\n%%EOF\n"


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return out.getvalue()


CONTENT_TYPES = (
    b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">%s'
    b'<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-'
    b'officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def docx(*, types: bytes = b"", relation: str = "", more: dict[str, bytes] | None = None) -> bytes:
    """A Word document with a relation to the outside, or other parts."""
    outside = (
        f'<Relationship Id="r1" Type="{RELATIONS}/{relation}" Target="https://a.example/x"'
        ' TargetMode="External"/>'
        if relation
        else ""
    )
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f"{outside}</Relationships>"
    )
    return zipped(
        {
            "[Content_Types].xml": CONTENT_TYPES % types,
            "_rels/.rels": rels.encode(),
            "word/document.xml": b"<document/>",
            "word/_rels/document.xml.rels": rels.encode(),
        }
        | (more or {})
    )
