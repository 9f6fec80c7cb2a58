"""Mail addresses as people paste them, brought into the one form that is stored and mailed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from email_validator import EmailNotValidError, validate_email

MOST = 254
# Between addresses people write commas, semicolons, spaces, tabs and new lines.
_SEPARATORS = re.compile(r"[,;\s]+")
# The local parts that nearly everybody has; others are left to the validator.
_PLAIN_LOCAL = re.compile(r"(?=.{1,64}$)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
# What a pasted list has around its addresses: bullets and numbers, brackets, links.
_BULLET = re.compile(r"^(?:\d{1,5}[.)]|[-–—•*·])(?:\s+|$)")
_AROUND = "\"'()[]{}<>«»“”‘’:"
# A name without quotes begins after what ends one: tried at each of its letters, a megabyte of
# them would take hours.
_NAMED = re.compile(r"""("[^"<>]*"\s*|(?<![^,;<>\r\n"])[^,;<>\r\n"]*+)<([^<>]*)>""")


@dataclass(frozen=True, slots=True)
class Written:
    """One address as it was written; `name` from `Name <address>`, else empty."""

    text: str
    name: str = ""


def normalised(text: str) -> str:
    """The address in its one form: ASCII local part and IDNA domain, in lower case; plus signs and
    dots are kept. ValueError when it is none."""
    text = text.strip()
    local, _, domain = text.partition("@")
    if len(text) <= MOST and _PLAIN_LOCAL.fullmatch(local) and domain.isascii():
        return f"{local}@{_domain(domain)}".lower()
    return _validated(text)


def _validated(text: str) -> str:
    if len(text) > MOST or not text.partition("@")[0].isascii():
        raise ValueError("not a mail address")
    try:
        found = validate_email(
            text,
            check_deliverability=False,
            allow_smtputf8=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            allow_display_name=False,
            test_environment=True,
        )
    except EmailNotValidError as error:
        raise ValueError("not a mail address") from error
    address = (found.ascii_email or "").lower()
    if not address.isascii() or len(address) > MOST:
        raise ValueError("not a mail address")
    return address


@lru_cache(4096)
def _domain(domain: str) -> str:
    """The domain in its one form, remembered: a long list of people has few of them."""
    return _validated(f"a@{domain}").partition("@")[2]


def is_address(text: str) -> bool:
    try:
        normalised(text)
    except ValueError:
        return False
    return True


def written_in(text: str) -> Iterator[Written]:
    """The addresses written in a free text, good and bad, in order."""
    text = "\n".join(line for line in text.split("\n") if not _is_prose(line))
    position = 0
    for match in _NAMED.finditer(text):
        before, name = text[position : match.start()], match.group(1).strip()
        # `a@x.org b@x.org Name <c@x.org>`: what looks like addresses before a name is not a name.
        words = _BULLET.sub("", name).strip('"').split()
        others = list(takewhile(lambda word: "@" in word, words))
        yield from _bare(" ".join([before, *others]))
        yield Written(_plain(match.group(2).strip()), " ".join(words[len(others) :]))
        position = match.end()
    yield from _bare(text[position:])


def _bare(text: str) -> Iterator[Written]:
    """Addresses without a name; what has no letter or digit in it is none that went wrong."""
    for word in _SEPARATORS.split(text):
        if any(map(str.isalnum, word)) and not _BULLET.fullmatch(word):
            yield Written(_plain(word))


def _plain(word: str) -> str:
    if "@" not in word:
        return word
    word = word.strip(_AROUND)
    return word[7:] if word.lower().startswith("mailto:") else word


def _is_prose(line: str) -> bool:
    """“Hello, here is the list:” stands above the addresses and was never meant to be one."""
    has_sentence = any(len(part.split()) > 2 for part in re.split("[,;]", line))
    return has_sentence and not any("@" in word or "." in word[:-1] for word in line.split())
