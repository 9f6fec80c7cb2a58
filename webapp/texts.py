"""Short texts that people type: cleaned on the way in, folded for searching."""

import re
import unicodedata
from functools import lru_cache

# Letters that carry no separable accent, spelled as people would type them.
_SPELLED = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "ß": "ss"})

# Mail readers make links of anything that looks like an address of the web, in any script's dot.
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:/+|\bwww(?=[.。．｡])", re.IGNORECASE)
# Two letters at least: S.A.R.L. stays as it is.
_DOT = re.compile(r"[.。．｡]+(?=[^\W_]{2})")


# Python sorts the accents on one letter in the square of their number: a name of a hundred thousand
# of them would take minutes. NFC makes one character of four at most.
_MOST_COMPOSED = 4
_AT_ONCE = 1000


def cleaned(text: str, most: int) -> str:
    """One line without control, format or surrogate characters, at most `most` characters."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())[:most].rstrip()
    kept = "".join(" " if character in "\t\r\n" else character for character in text)
    kept = "".join(c for c in kept if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    kept = " ".join(kept.split())[: most * _MOST_COMPOSED]
    return " ".join(unicodedata.normalize("NFC", kept).split())[:most].rstrip()


def cleaned_note(text: str, most: int) -> str:
    """Several lines, each cleaned."""
    text = text.lstrip()[: most * _MOST_COMPOSED]
    lines = [cleaned(line, most) for line in text.replace("\r\n", "\n").split("\n")]
    return "\n".join(lines).strip()[:most]


def folded(*texts: str) -> str:
    """Without accents and case: « Hélène Lefèvre » → "helene lefevre"."""
    joined = " ".join(text for text in texts if text).casefold()
    if joined.isascii():
        return " ".join(joined.split())
    joined = joined.translate(_SPELLED)
    parts = _decomposed(joined)
    return " ".join("".join(c for c in parts if not unicodedata.combining(c)).split())


def _decomposed(text: str) -> str:
    """Accents beside their letters, in no order that matters to those who leave them out."""
    pieces = (text[at : at + _AT_ONCE] for at in range(0, len(text), _AT_ONCE))
    return "".join(unicodedata.normalize("NFKD", piece) for piece in pieces)


@lru_cache(maxsize=256)
def unlinked(text: str) -> str:
    """What a person wrote, on one line and such that no mail reader makes a link of it (threat
    T14): a name in a mail of ours must not lead anywhere."""
    line = _DOT.sub(lambda dots: dots.group() + " ", _SCHEME.sub(" ", cleaned(text, 1000)))
    return " ".join(line.split())
