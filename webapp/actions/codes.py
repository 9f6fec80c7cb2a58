"""Mailed codes of six digits: ten minutes, five tries, this browser only (rule J3).

`lane` names whoever asks for a reason of their own (a browser where this address has signed in, the
holder of a mailed link): what strangers ask for and guess does not hold them up.

The digits are drawn when their mail is written and kept nowhere; the row holds their hash, made
with the row's own id, so that equal codes look different."""

import hashlib
import hmac
from datetime import timedelta

from webapp import clock, outbox
from webapp.actions import guesses, throttle
from webapp.database import transaction
from webapp.errors import Invalid
from webapp.models import SignInCode

LIFE = timedelta(minutes=10)
TRIES = 5
WINDOW = timedelta(minutes=15)
ASKED, ASKED_FROM_SOURCE = 6, 100


def request(
    email: str,
    browser: str,
    source: str,
    is_known: bool,
    purpose: str = "sign-in",
    lane: str = "",
) -> None:
    """Mails a code to `email` when somebody there may use one. The answer is the same either way,
    and so is the work, down to the message in the outbox: only the mail tells."""
    throttle.count(f"code:{lane}:{email}", ASKED, WINDOW)
    throttle.count(f"codes-from:{source}", ASKED_FROM_SOURCE, WINDOW)
    now = clock.now()
    with transaction():
        code = SignInCode.create(
            email=email,
            browser_hash=browser,
            purpose=purpose,
            created_at=now,
            expires_at=now + LIFE,
        )
        outbox.write("mail:code", {"code_id": code.id, "is_known": is_known})


def draw(code: SignInCode) -> str:
    """The digits for a mail that is being written. A mail written again has new ones."""
    digits = clock.new_code()
    SignInCode.update(code_hash=_hash(code, digits)).where(SignInCode.id == code.id).execute()
    return digits


def redeem(email: str, browser: str, digits: str, purpose: str = "sign-in", lane: str = "") -> None:
    """Uses the code up. Invalid("code") when it is not the latest of this address and browser,
    too old, used, or tried too often."""
    guessed = f"code:{lane}:{email}"
    guesses.check(guessed)
    now = clock.now()
    with transaction():
        code = _latest(email, browser, purpose)
        if code is None or code.expires_at <= now or code.tries >= TRIES:
            raise Invalid("code", field="code", again=True)
        counted = (
            SignInCode.update(tries=SignInCode.tries + 1)
            .where(SignInCode.id == code.id, SignInCode.tries < TRIES, SignInCode.used_at.is_null())
            .execute()
        )
        if counted != 1:
            raise Invalid("code", field="code", again=True)
        fits = bool(code.code_hash) and hmac.compare_digest(
            code.code_hash, _hash(code, "".join(digits.split()))
        )
        if fits:
            SignInCode.update(used_at=now).where(SignInCode.id == code.id).execute()
        else:
            guesses.count(guessed)
    # Raised after the commit: a wrong try must count.
    if not fits:
        raise Invalid("code", field="code", again=code.tries + 1 >= TRIES)


def _latest(email: str, browser: str, purpose: str) -> SignInCode | None:
    found: SignInCode | None = (
        SignInCode.select()
        .where(
            SignInCode.email == email,
            SignInCode.browser_hash == browser,
            SignInCode.purpose == purpose,
            SignInCode.used_at.is_null(),
        )
        .order_by(SignInCode.id.desc())
        .first()
    )
    return found


def _hash(code: SignInCode, digits: str) -> str:
    return hashlib.sha256(f"{code.id}:{digits}".encode()).hexdigest()
