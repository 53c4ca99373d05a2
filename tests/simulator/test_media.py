"""Images and documents: accepted from everywhere, counted by size, refused when they are not what they say."""

import base64
import struct
import zlib
from typing import Any

import pytest

from relay.upstreams.simulator.counting import media
from tests.simulator.running import RunningSimulator, hello

Json = dict[str, Any]


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"".join(b"\0" + b"\xff\0\0" * width for _ in range(height)))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def image(content: bytes, media_type: str = "image/png") -> Json:
    data = base64.b64encode(content).decode()
    return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}}


def document(**source: Any) -> Json:
    return {"type": "document", "source": source}


PDF = b"%PDF-1.4\n1 0 obj<</Type /Pages /Kids[2 0 R 3 0 R]>>\n2 0 obj<</Type /Page>>\n3 0 obj<</Type /Page>>\n"


def test_an_image_is_seen_and_counted_by_its_pixels(simulator: RunningSimulator) -> None:
    small = simulator.post(hello([image(png(100, 75)), {"type": "text", "text": "What is it?"}])).json()
    large = simulator.usage(hello([image(png(600, 500)), {"type": "text", "text": "What is it?"}]))

    assert "1 image" in small["content"][0]["text"]
    assert large["input_tokens"] - small["usage"]["input_tokens"] == 400 - 10


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {"type": "image", "source": {"type": "file", "file_id": "file_011"}},
        document(type="base64", media_type="application/pdf", data=base64.b64encode(PDF).decode()),
        document(type="url", url="https://example.com/a.pdf"),
        document(type="text", media_type="text/plain", data="Some words. " * 1_000),
        document(type="content", content=[{"type": "text", "text": "Some words. " * 1_000}]),
        document(type="file", file_id="file_011"),
    ],
)
def test_every_source_is_accepted_and_counted(simulator: RunningSimulator, block: Json) -> None:
    usage = simulator.usage(hello([block, {"type": "text", "text": "Read it."}]))

    assert usage["input_tokens"] > 1_000


def test_a_document_that_asks_for_it_is_cited(simulator: RunningSimulator) -> None:
    block = document(type="text", media_type="text/plain", data="Grass is green. The sky is blue.")
    cited = block | {"title": "Colours", "citations": {"enabled": True}}

    text = simulator.post(hello([cited, {"type": "text", "text": "What colour?"}])).json()["content"][0]

    assert text["citations"][0]["cited_text"] == "Grass is green. The sky is blue."
    assert text["citations"][0]["document_title"] == "Colours"


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (
            image(png(9, 9), "image/tiff"),
            "messages.0.content.0.image.source.base64.media_type: Input should be 'image/jpeg', 'image/png', "
            "'image/gif' or 'image/webp'",
        ),
        (
            image(png(9, 9), "image/jpeg"),
            "messages.0.content.0.image.source.base64.data: The image was specified using the image/jpeg media type, "
            "but the image appears to be a image/png image",
        ),
        (image(b"not an image"), "Could not process image"),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "%%%"}},
            "messages.0.content.0.image.source.base64.data: Input should be a valid base64-encoded string",
        ),
        ({"type": "image"}, "messages.0.content.0.image.source: Field required"),
    ],
)
def test_what_is_no_image_is_refused(simulator: RunningSimulator, block: Json, message: str) -> None:
    answer = simulator.post(hello([block]))

    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)


def test_all_four_formats_tell_their_size() -> None:
    gif = b"GIF89a" + struct.pack("<HH", 30, 20)
    jpeg = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08" + struct.pack(">HH", 20, 30) + b"\0" * 9
    webp = b"RIFF\0\0\0\0WEBPVP8X" + b"\0" * 8 + (29).to_bytes(3, "little") + (19).to_bytes(3, "little")

    assert [media.image_size(each) for each in (png(30, 20), gif, jpeg, webp)] == [(30, 20)] * 4
    assert media.image_size(b"\xff\xd8\xff") is None


def test_pages_of_a_pdf_are_counted() -> None:
    assert media.pdf_tokens(PDF) == 2 * media.PDF_PAGE_TOKENS
