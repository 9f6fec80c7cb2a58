"""What a mail says, to whom, before it is one."""

from dataclasses import dataclass, field
from typing import Any

from flask_mail import Attachment


@dataclass(frozen=True, slots=True)
class Letter:
    """`name` names the templates mail/<name>.subject.txt, .txt and .html; `facts` are theirs. Those
    that `blanks` names are words of one line that are only shown; they differ from mail to mail
    where many letters of the kind are written, and then the rest is rendered once."""

    name: str
    to: str
    locale: str
    facts: dict[str, Any]
    attachments: tuple[Attachment, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    blanks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    subject: str
    text: str
    html: str
