"""Short texts that people type: cleaned on the way in, folded for searching."""

import re
import unicodedata

# Letters that carry no separable accent, spelled as people would type them.
_SPELLED = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "ß": "ss"})

# Mail readers make links of anything that looks like an address of the web, in any script's dot.
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:/+|\bwww(?=[.。．｡])", re.IGNORECASE)
# Two letters at least: S.A.R.L. stays as it is.
_DOT = re.compile(r"[.。．｡]+(?=[^\W_]{2})")


def cleaned(text: str, most: int) -> str:
    """One line without control, format or surrogate characters, at most `most` characters."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())[:most].rstrip()
    kept = "".join(" " if character in "\t\r\n" else character for character in text)
    kept = "".join(c for c in kept if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    return " ".join(unicodedata.normalize("NFC", kept).split())[:most].rstrip()


def cleaned_note(text: str, most: int) -> str:
    """Several lines, each cleaned."""
    lines = [cleaned(line, most) for line in text.replace("\r\n", "\n").split("\n")]
    return "\n".join(lines).strip()[:most]


def folded(*texts: str) -> str:
    """Without accents and case: « Hélène Lefèvre » → "helene lefevre"."""
    joined = " ".join(text for text in texts if text).casefold().translate(_SPELLED)
    parts = unicodedata.normalize("NFKD", joined)
    return " ".join("".join(c for c in parts if not unicodedata.combining(c)).split())


def unlinked(text: str) -> str:
    """What a person wrote, on one line and such that no mail reader makes a link of it (threat
    T14): a name in a mail of ours must not lead anywhere."""
    line = _DOT.sub(lambda dots: dots.group() + " ", _SCHEME.sub(" ", cleaned(text, 1000)))
    return " ".join(line.split())
