"""Long texts take a time that grows as they do. What is tried at each letter anew, or sorts accents
in the square of their number, would take minutes for these: a limit of seconds of a processor tells
the two apart on any machine."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from webapp import addresses, logs, texts
from webapp.imports import people_columns

LONG = 200_000
MOST_SECONDS = 5
WORDS = (
    "a",
    "<",
    '"',
    "a@ ",
    "a,",
    '" ',
    "(",
    "[",
    "[]",
    "1. ",
    "%40",
    "a@b.",
    "é",
    "\u0301\u0327",
)
READERS: dict[str, Callable[[str], Any]] = {
    "addresses": lambda text: list(addresses.written_in(text)),
    "names": lambda text: texts.cleaned(text, 200),
    "notes": lambda text: texts.cleaned_note(text, 2_000),
    "folded": texts.folded,
    "logs": logs.without_secrets,
    "headings": lambda text: people_columns.recognised([text]),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("word", WORDS)
def test_what_is_long_takes_no_longer_than_that(reader: str, word: str) -> None:
    for text in (word * (LONG // len(word)), f"<x>{word * (LONG // len(word))}<x>"):
        begun = time.process_time()
        READERS[reader](text)
        assert time.process_time() - begun < MOST_SECONDS


def test_accents_are_left_out_wherever_they_stand() -> None:
    assert texts.folded("é" * 5_000) == "e" * 5_000
    assert texts.folded("a" + "\u0301\u0327" * 5_000 + "b") == "ab"


def test_a_name_is_composed_before_it_is_cut() -> None:
    assert texts.cleaned("e\u0301" * 300, 200) == "é" * 200
    assert texts.cleaned(" " * 5_000 + "Zoé", 3) == "Zoé"
