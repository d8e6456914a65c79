"""What a photo's file says beside its pixels: found by Pillow, held by PNG and JPEG; for TIFF see tiff.py."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass

from PIL import ExifTags, Image

EXIF_SIGNATURE = b"Exif\0\0"
_XMP_KEYWORD = b"XML:com.adobe.xmp\0\0\0\0\0"
_UPRIGHT = 1
_SHORT = 3
_MOST_OF_A_SEGMENT = 65500
"""Bytes that a segment of a JPEG holds beside its signature; only a profile may go on in the next."""


@dataclass(frozen=True)
class Metadata:
    """What goes with a photo wherever it goes.

    Attributes:
        icc: the colour profile.
        exif: a TIFF file without pixels, as JPEG and PNG hold it; it says that the photo stands upright.
        xmp: Adobe's XML.
        unread: what else was there, but cannot be taken along.
    """

    icc: bytes = b""
    exif: bytes = b""
    xmp: bytes = b""
    unread: tuple[str, ...] = ()

    def kept_in(self, suffix: str) -> Metadata:
        """As much of it as files of that suffix hold."""
        if suffix in (".png", ".tif", ".tiff"):
            return self
        if suffix == ".dzi":
            return Metadata(icc=self.icc)
        if suffix not in (".jpg", ".jpeg"):
            return Metadata()
        exif, xmp = (part if len(part) <= _MOST_OF_A_SEGMENT else b"" for part in (self.exif, self.xmp))
        return Metadata(self.icc, exif, xmp)

    def lost_in(self, suffix: str) -> list[str]:
        """What files of that suffix do not hold, and what could not be read, by name."""
        kept = self.kept_in(suffix)
        names = {"icc": "colour profile", "exif": "EXIF data", "xmp": "XMP data"}
        lost = [text for name, text in names.items() if getattr(self, name) and not getattr(kept, name)]
        return [*lost, *self.unread]

    def png_chunks(self) -> list[tuple[bytes, bytes]]:
        """PNG Specification (Third Edition), Sec. 11.3: iCCP, eXIf and iTXt."""
        chunks = [
            (b"iCCP", self.icc and b"ICC profile\0\0" + zlib.compress(self.icc)),
            (b"eXIf", self.exif),
            (b"iTXt", self.xmp and _XMP_KEYWORD + self.xmp),
        ]
        return [(kind, content) for kind, content in chunks if content]

    def pillow_fields(self) -> dict[str, bytes]:
        """What ``PIL.Image.save`` takes, and a picture's ``info`` holds."""
        fields = {"icc_profile": self.icc, "exif": self.exif and EXIF_SIGNATURE + self.exif, "xmp": self.xmp}
        return {name: content for name, content in fields.items() if content}


NO_METADATA = Metadata()


def metadata_of(image: Image.Image) -> Metadata:
    """Of a picture that Pillow has opened; where it has read the pixels too, also what follows them in a PNG."""
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    unread = ["IPTC data"] if "photoshop" in image.info else []
    exif = b""
    try:
        # Not image.getexif(): in search of them, a PNG's would decode all pixels.
        parsed = Image.Image.getexif(image)
        # Written anew they would lose what Pillow does not understand; but what it cannot write is damaged.
        exif = parsed.tobytes() if parsed else b""
        exif = exif and _upright_exif((image.info.get("exif") or exif).removeprefix(EXIF_SIGNATURE))
    except Exception:  # on damaged data Pillow raises anything from KeyError to struct.error
        unread.append("EXIF data (damaged)")
    profile = image.info.get("icc_profile") or b""
    return Metadata(profile, exif, upright_xmp(xmp.encode() if isinstance(xmp, str) else xmp), tuple(unread))


def _upright_exif(exif: bytes) -> bytes:
    """The same data, changed in their place: an upright photo's, and without the small picture of what it was before.

    EXIF 2.32, Sec. 4.6: a directory is the number of its entries, the entries, and the place of the next directory,
    which is the small picture's. Nothing else is touched, so that makers' notes, too, stay what they were.

    Raises:
        struct.error: the data end early.
    """
    order = "<" if exif.startswith(b"II") else ">"
    (place,) = struct.unpack_from(f"{order}I", exif, 4)
    (num_entries,) = struct.unpack_from(f"{order}H", exif, place)
    end = place + 2 + 12 * num_entries
    changed = bytearray(exif)
    struct.pack_into(f"{order}I", changed, end, 0)
    for entry in range(place + 2, end, 12):
        if struct.unpack_from(f"{order}H", exif, entry)[0] == ExifTags.Base.Orientation:
            struct.pack_into(f"{order}HHIHxx", changed, entry, ExifTags.Base.Orientation, _SHORT, 1, _UPRIGHT)
    return bytes(changed)


def upright_xmp(xmp: bytes) -> bytes:
    """The same text of an upright photo."""
    return re.sub(rb"""(tiff:Orientation(?:=["']|>))\d""", rb"\g<1>1", xmp)
