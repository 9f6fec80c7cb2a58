"""Letters that are rendered once and filled in say what the templates say."""

from dataclasses import replace

import pytest
from flask import Flask

from tests import money
from tests.hostile import HOSTILE
from tests.test_mail import make_invitation
from webapp import mailer, mime
from webapp.forms import Forms
from webapp.handlers import Errand, mails
from webapp.letters import Letter
from webapp.models import OutboxMessage
from webapp.outbox import claiming

NAMES = ["", "Anna", "Zoé & Fils", *(name.replace("\x00", "\x01") for name in HOSTILE)]


@pytest.mark.parametrize("kind", ["invitation", "reminder"])
def test_a_filled_form_is_the_letter(
    app: Flask, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    letters = written(kind, monkeypatch, app)
    forms = Forms(mailer.write)
    assert len(letters) == len(NAMES)
    for letter in letters:
        words = mailer.write(letter)
        written_out = (words.subject, mime.content(words))
        assert forms.fill(letter) == written_out, letter.facts["name"]
    # Two languages, with and without a note, and those whose name is empty.
    assert len(forms._forms) <= 8


def test_a_blank_in_a_subject_is_refused(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    letter = written("invitation", monkeypatch, app)[1]
    with pytest.raises(ValueError, match="subject"):
        Forms(mailer.write).fill(replace(letter, blanks=("organisation",)))


def written(kind: str, monkeypatch: pytest.MonkeyPatch, app: Flask) -> list[Letter]:
    """To people with all sorts of names, in both languages, who were invited together."""
    mailer.install(app)
    first = make_invitation(organisation=money.make_organisation("Dumas & <Cie>"))
    for number, name in enumerate(NAMES):
        make_invitation(
            organisation=first.account,
            email=f"p{number}@example.org",
            name=name,
            locale=("fr", "en")[number % 2],
            note=("", "Bonjour,\n<à bientôt>")[number // 2 % 2],
            created_at=first.created_at,
            expires_at=first.expires_at,
        )
    letters: list[Letter] = []
    monkeypatch.setattr(Errand, "mail", lambda errand, letter: letters.append(letter))
    for message in OutboxMessage.select().where(OutboxMessage.invitation != first):
        getattr(mails, kind)(Errand(claiming.Claim(message, ""), None))  # type: ignore[arg-type]
    return letters
