"""Letters that differ in a few words alone are rendered and encoded once, with blanks that are
filled in.

Filling in escapes as the templates do. What marks a blank is drawn anew each time, so that nobody
can write one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from markupsafe import escape

from webapp import clock, mime
from webapp.letters import Letter, Words

# Letters that differ in more, or come from many organisations, are not kept for each other.
MOST = 50

# Lines without blanks as a mail has them, and each line with blanks as the operator % takes it.
Pieces = tuple[bytes | str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    subject: str
    text: Pieces
    html: Pieces

    def filled(self, letter: Letter) -> bytes:
        shown = {name: str(letter.facts[name]) for name in letter.blanks}
        escaped = {name: escape(value) for name, value in shown.items()}
        return mime.enclosed(_filled(self.text, shown), _filled(self.html, escaped))


def _filled(pieces: Pieces, shown: dict[str, str] | dict[str, Any]) -> bytes:
    return b"".join(
        piece if isinstance(piece, bytes) else mime.quoted(piece % shown) for piece in pieces
    )


class Forms:
    """Of the mails of one round. A form stands for every letter whose facts are the same but for
    the blanks."""

    def __init__(self, write: Callable[[Letter], Words]) -> None:
        self._write = write
        self._forms: dict[tuple[Any, ...], Form] = {}
        self._mark = clock.new_token()

    def fill(self, letter: Letter) -> tuple[str, bytes]:
        """Subject and content, the same as of what `write` says."""
        facts = letter.facts
        same = tuple(
            bool(value) if name in letter.blanks else _comparable(value)
            for name, value in facts.items()
        )
        key = (letter.name, letter.locale, letter.blanks, *facts, *same)
        form = self._forms.get(key)
        if form is None:
            if len(self._forms) >= MOST:
                self._forms.clear()
            form = self._forms[key] = self._form(letter)
        return form.subject, form.filled(letter)

    def _form(self, letter: Letter) -> Form:
        # An empty fact stays empty: templates ask whether it is.
        blanks = {name: self._blank(name) for name in letter.blanks if letter.facts[name]}
        words = self._write(replace(letter, facts=letter.facts | blanks))
        if self._mark in words.subject:
            raise ValueError("a subject has no blanks: it is cut to its length")
        return Form(words.subject, self._pieces(words.text), self._pieces(words.html))

    def _blank(self, name: str) -> str:
        return f"{self._mark}:{name}:{self._mark}"

    def _pieces(self, text: str) -> Pieces:
        pieces: list[bytes | str] = []
        for has_blanks, lines in groupby(text.splitlines(), lambda line: self._mark in line):
            if has_blanks:
                pieces += map(self._template, lines)
            else:
                pieces.append(mime.quoted("".join(f"{line}\n" for line in lines)))
        return tuple(pieces)

    def _template(self, line: str) -> str:
        texts = line.replace("%", "%%").split(self._mark)
        texts[1::2] = (f"%({name.strip(':')})s" for name in texts[1::2])
        return "".join(texts)


def _comparable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
