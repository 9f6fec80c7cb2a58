"""Letters that differ in a few words alone are rendered once, with blanks that are filled in.

Filling in escapes as the templates do. What marks a blank is drawn anew each time, so that nobody
can write one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import escape

from webapp import clock
from webapp.letters import Letter, Words


@dataclass(frozen=True, slots=True)
class Form:
    """The texts around the blanks, and the names of these, in turns."""

    subject: str
    text: tuple[str, ...]
    html: tuple[str, ...]

    def filled(self, facts: dict[str, Any]) -> Words:
        text, html = list(self.text), list(self.html)
        text[1::2] = (str(facts[name]) for name in text[1::2])
        html[1::2] = (escape(facts[name]) for name in html[1::2])
        return Words(self.subject, "".join(text), "".join(html))


class Forms:
    """Of the mails of one round: what a form says of organisations and people is as old as they
    were read."""

    def __init__(self, write: Callable[[Letter], Words]) -> None:
        self._write = write
        self._forms: dict[tuple[Any, ...], Form] = {}
        self._mark = clock.new_token()

    def words(self, letter: Letter) -> Words:
        """The same as `write` says."""
        facts = letter.facts
        same = tuple(
            bool(value) if name in letter.blanks else _comparable(value)
            for name, value in facts.items()
        )
        key = (letter.name, letter.locale, letter.blanks, *facts, *same)
        form = self._forms.get(key)
        if form is None:
            form = self._forms[key] = self._form(letter)
        return form.filled(facts)

    def _form(self, letter: Letter) -> Form:
        # An empty fact stays empty: templates ask whether it is.
        blanks = {
            name: f"{self._mark}:{name}:{self._mark}"
            for name in letter.blanks
            if letter.facts[name]
        }
        words = self._write(replace(letter, facts=letter.facts | blanks))
        if self._mark in words.subject:
            raise ValueError("a subject has no blanks: it is cut to its length")
        return Form(words.subject, self._around(words.text), self._around(words.html))

    def _around(self, text: str) -> tuple[str, ...]:
        pieces = text.split(self._mark)
        pieces[1::2] = (name.strip(":") for name in pieces[1::2])
        return tuple(pieces)


def _comparable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
