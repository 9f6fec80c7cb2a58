"""QR codes, drawn here: no other service learns what is in them."""

from io import BytesIO

import segno


def svg(text: str) -> bytes:
    """The code as an image that scales, with its quiet zone; the same text gives the same bytes."""
    written = BytesIO()
    # Dark on light whatever the page's colours: not every camera reads the opposite.
    segno.make_qr(text, error="m").save(
        written, kind="svg", border=4, dark="#000", light="#fff", omitsize=True
    )
    return written.getvalue()
