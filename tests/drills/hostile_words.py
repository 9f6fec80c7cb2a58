"""What nobody types: a dictionary of words that have broken programs before, and mixtures of it."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tests.hostile import HOSTILE

# Markup and templates that would show on a page if they were ever more than words there.
ELEMENT = "<hostile-element hostile>"
TEMPLATE, WORKED_OUT = "{{ 71*7331 }}", "520501"
HEADER = "X-Hostile"

NUMBERS = (
    *map(str, (2**31, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**400)),
    *("-1", "0", "-0", "1e309", "NaN", "Infinity", "0x10", "1_000", "1.5", "٣", "²", "１２", "½"),
)
DAYS = ("2026-02-30", "0000-00-00", "0001-01-01", "9999-12-31", "99999-01-01", "2026-13", "2026-W1")
LETTERS = (
    *("\0", "a\0b", "%00", "\ud800", "\udfff\ud800", "\u212a", "\u0130", "\u017f", "\ufb01", "ß"),
    *("\u202e", "\u2066x\u2069", "\u200f", "\ufeff", "\u2028", "\u0085", "\x1b[2J", "\x7f"),
    *(
        "\U0010ffff",
        "\U000e0041",
        "\ufdd0",
        "a" + "\u0301" * 300,
        "\ufdfa" * 200,
        "👩\u200d👧" * 50,
    ),
)
PHRASES = (
    *("=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\tx", "\rx", ";", ",,,", '"', "'", "\\"),
    *(f"a\r\n{HEADER}: 1", f"a\n{HEADER}: 1", f"a%0d%0a{HEADER}:1", f"\r\n\r\n{ELEMENT}"),
    *(
        TEMPLATE,
        "{% include '/etc/passwd' %}",
        "${7*7}",
        "#{7*7}",
        "%(name)s %s %n",
        "{0.__class__}",
    ),
    *(ELEMENT, f'"{ELEMENT}', f"'>{ELEMENT}", "<!--", "]]>", "&#0;", "javascript:alert(1)"),
    *("../../../etc/passwd", "file:///etc/passwd", "//evil.example", "/\\evil.example", "C:\\nul"),
    *("' OR 1=1 --", "a' UNION SELECT 1", "*", "(", "[", "(a+)+$", "%", "_", "~", "1~2~3", ":"),
    *("@", "a@", "@b", "a@b@c", "a@example.org,b@example.org", "bob@evil.example(x@example.org)"),
    *(
        "null",
        "true",
        "[]",
        "{}",
        "[" * 3000,
        '{"a":' * 3000,
        "a" * 60_000,
        "\n" * 3000,
        "é" * 5000,
    ),
    *("a@example.org " * 300, "<" * 3000, "(" * 3000, " " * 20_000 + "x"),
    # What readers that try each letter anew, or sort accents, take minutes for.
    *("a" + "\u0301\u0327" * 30_000, "[" * 60_000, "a@ " * 20_000),
)
TOKENS = (*NUMBERS, *DAYS, *LETTERS, *PHRASES, *HOSTILE)
# Words that views know, so that the hostile one beside them is read at all.
KNOWN = (
    *(
        "",
        "1",
        "2",
        "on",
        "yes",
        "no",
        "true",
        "a@example.org",
        "zoe@example.org",
        "new@example.org",
    ),
    *("refund", "credit", "member", "admin", "finance", "owner", "basic", "licensed", "fr", "en"),
    *("EUR", "FR", "2026-11", "2026-10-01", "pending", "expired", "name", "newest", "resend"),
    *("revoke", "remove", "mine", "all", "ready", "malformed", "123456", "sign-in", "credential"),
    *("many small streams make a river", "Atelier Dumas", "email", "file", "status", "password"),
)


def one_of(choices: Sequence[Any]) -> st.SearchStrategy[Any]:
    """By their number: hypothesis writes a strategy's choices down, and these may be long."""
    return st.sampled_from(range(len(choices))).map(lambda at: choices[at])


token, known = one_of(TOKENS), one_of(KNOWN)
any_text = st.text(st.characters(exclude_categories=()), max_size=12)
mixture = st.lists(st.one_of(token, known, any_text), min_size=2, max_size=3).map("".join)
# Mostly the dictionary: plain chance finds little in so large a space.
word = st.one_of(token, token, token, known, known, mixture, any_text)

number = st.one_of(st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**400, 0, -1]), st.integers())
json_value = st.recursive(
    st.one_of(word, number, st.floats(), st.booleans(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(known, token), inner, max_size=3)
    ),
    max_leaves=6,
)


def as_bytes(text: str) -> bytes:
    """Lone surrogates too, as they would come over the wire."""
    return text.encode("utf-8", "surrogatepass")
