"""Images and documents: what their bytes are, and what they cost in tokens. Nothing is fetched."""

import binascii
import re
import struct
from typing import Any

IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
UNSEEN_IMAGE_TOKENS = 1_334  # 1000 x 1000 pixels: what a URL or a file id stands for
UNSEEN_DOCUMENT_TOKENS = 6_000
PDF_PAGE_TOKENS = 2_000
MAXIMUM_EDGE = 8_000

_SCALED_EDGE = 1_568
_PIXELS_PER_TOKEN = 750
_PDF_PAGE = re.compile(rb"/Type\s*/Page\b(?!s)")
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def decoded(data: str) -> bytes | None:
    """The bytes of a base64 text, None when it is not one."""
    try:
        return binascii.a2b_base64(data.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        return None


def image_type(content: bytes) -> str:
    """The media type by the first bytes, empty when it is none of the four."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else ""


def image_size(content: bytes) -> tuple[int, int] | None:
    """(width, height) in pixels, None when the header does not say."""
    try:
        size = _SIZES[image_type(content)](content)
    except (KeyError, struct.error, IndexError):
        return None
    return size if size and min(size) > 0 else None


def image_tokens(size: tuple[int, int]) -> int:
    """Width x height / 750, after scaling down to 1,568 pixels on the long edge."""
    scale = min(1.0, _SCALED_EDGE / max(size))
    return max(1, int(size[0] * scale) * int(size[1] * scale) // _PIXELS_PER_TOKEN)


def pdf_tokens(content: bytes) -> int:
    """By the pages that can be seen without unpacking streams, at least one."""
    return max(1, len(_PDF_PAGE.findall(content))) * PDF_PAGE_TOKENS


def source_tokens(source: dict[str, Any], *, unseen: int) -> int:
    """Tokens of the base64 source of an image or a PDF; `unseen` for sources that are elsewhere."""
    if source.get("type") != "base64":
        return unseen
    content = decoded(source["data"]) or b""
    if source.get("media_type") == "application/pdf":
        return pdf_tokens(content)
    size = image_size(content)
    return image_tokens(size) if size else unseen


def _png(content: bytes) -> tuple[int, int]:
    return struct.unpack(">II", content[16:24])


def _gif(content: bytes) -> tuple[int, int]:
    return struct.unpack("<HH", content[6:10])


def _webp(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", content[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
    return None


def _jpeg(content: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        if content[at + 1] in _JPEG_SIZES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + struct.unpack(">H", content[at + 2 : at + 4])[0]
    return None


_SIZES = {"image/png": _png, "image/gif": _gif, "image/webp": _webp, "image/jpeg": _jpeg}
