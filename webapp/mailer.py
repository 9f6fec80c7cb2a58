"""Mails: written from webapp/mail in the reader's language, and sent by Flask-Mail.

All mails of one round go over one SMTP connection. In development without a mail server they are
kept instead, for /dev/mail."""

import re
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app
from flask_babel import force_locale
from flask_mail import Mail as FlaskMail

from webapp import clock, mime
from webapp.config import Config
from webapp.forms import Forms
from webapp.letters import Letter as Letter
from webapp.letters import Words
from webapp.mime import Mail
from webapp.policy import policy
from webapp.texts import cleaned
from webapp.texts import unlinked as unlinked

_EMPTY_LINES = re.compile(r"\n{3,}")


def install(app: Flask) -> None:
    """Gives Flask-Mail the settings; for the processes that send."""
    mail = app.config["SETTINGS"].mail
    app.config.update(
        MAIL_SERVER=mail.server or "127.0.0.1",
        MAIL_PORT=mail.port,
        MAIL_USERNAME=mail.username or None,
        MAIL_PASSWORD=mail.password or None,
        MAIL_USE_TLS=mail.use_tls,
        MAIL_USE_SSL=mail.use_ssl,
        MAIL_DEFAULT_SENDER=mail.sender,
        MAIL_SUPPRESS_SEND=False,
        MAIL_DEBUG=0,
    )
    app.jinja_env.filters["unlinked"] = unlinked
    FlaskMail(app)


def compose(letter: Letter, message_id: int, forms: Forms | None = None) -> Mail:
    """The mail of an outbox row: written again, it has the same Message-ID. `forms` are those of
    the letters that are written together with this one."""
    mail = mime.mail_from(policy().mail.sender)
    if forms is not None and letter.blanks:
        mail.subject, mail.content = forms.fill(letter)
    else:
        words = write(letter)
        mail.subject, mail.content = words.subject, mime.content(words, letter.attachments)
    mail.recipients = [letter.to]
    mail.date = clock.now().timestamp()
    mail.msgId = address_of(message_id, policy())
    mail.extra_headers = {"Auto-Submitted": "auto-generated", **letter.headers}
    return mail


def write(letter: Letter) -> Words:
    """In the reader's language."""
    settings = policy()
    facts = {"base_url": settings.base_url, "seller": unlinked(settings.seller.name)}
    facts |= letter.facts
    with force_locale(letter.locale):
        facts["subject"] = headline(_written(f"{letter.name}.subject.txt", facts))
        return Words(
            facts["subject"],
            _plain(_written(f"{letter.name}.txt", facts)),
            _written(f"{letter.name}.html", facts),
        )


def address_of(message_id: int, settings: Config) -> str:
    """The Message-ID of an outbox row."""
    return f"<outbox-{message_id}@{urlsplit(settings.base_url).hostname}>"


def headline(text: str) -> str:
    """One line for a header: no control characters, and nothing that reads as an encoded word."""
    return cleaned(text, 200).replace("=?", "= ?")


def _written(name: str, facts: dict[str, Any]) -> str:
    # Not render_template: what pages are given from the request means nothing here.
    return current_app.jinja_env.get_template(f"mail/{name}").render(**facts)


def _plain(text: str) -> str:
    lines = "\n".join(line.strip() for line in text.splitlines())
    return _EMPTY_LINES.sub("\n\n", lines).strip() + "\n"
