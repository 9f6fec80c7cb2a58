"""Webhooks in Stripe's form, which the simulated gateway sends too: signed over the raw body, and
never more than a hint (rule M6). Nothing of Stripe's library is needed to read one."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.config import Config

# Seconds between the signature and its arrival, either way.
TOLERANCE = 300


class Forged(Exception):
    """The signature is missing, wrong or too old, or what was signed is no event."""


@dataclass(frozen=True, slots=True)
class Event:
    """What changed at the gateway. `refund` is the reference of the refund that it is about, or
    "", and `refund_key` our own name for it; `payments` name the payment that it, or a dispute, is
    of; `customer` whose records changed, or ""."""

    id: str
    kind: str
    refund: str = ""
    refund_key: str = ""
    payments: tuple[str, ...] = ()
    customer: str = ""


def secret(config: Config) -> str:
    """What signatures are made with; "" when nothing can be verified."""
    if config.stripe_webhook_secret or config.payments != "simulated":
        return config.stripe_webhook_secret
    key = config.secret_key.encode()
    return "whsec_" + hmac.new(key, b"webhook", hashlib.sha256).hexdigest()


def signature(body: bytes, secret: str, at: datetime) -> str:
    """The header that goes with `body`."""
    stamp = int(at.timestamp())
    return f"t={stamp},v1={_digest(stamp, body, secret)}"


def verified(body: bytes, header: str, secret: str, now: datetime) -> Event:
    """The event that `body` tells. Raises Forged."""
    stamp, given = _parts(header)
    if not secret:
        raise Forged("there is no secret to verify with")
    expected = _digest(stamp, body, secret)
    # All of them are compared, in constant time each: a secret being replaced signs twice.
    matches = [hmac.compare_digest(expected.encode(), one.encode()) for one in given]
    if not any(matches):
        raise Forged("the signature does not match")
    if abs(now.timestamp() - stamp) > TOLERANCE:
        raise Forged("the signature is too old")
    return _event(body)


def _parts(header: str) -> tuple[int, list[str]]:
    pairs = [part.strip().partition("=") for part in header[:4096].split(",")]
    stamps = [value for name, _, value in pairs if name == "t"]
    if len(stamps) != 1 or not (stamps[0].isascii() and stamps[0].isdigit()):
        raise Forged("the signature has no time")
    if len(stamps[0]) > 12:
        raise Forged("the signature has no time")
    return int(stamps[0]), [value for name, _, value in pairs if name == "v1"]


def _digest(stamp: int, body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), b"%d." % stamp + body, hashlib.sha256).hexdigest()


def _event(body: bytes) -> Event:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Forged("the body is no JSON") from error
    if not isinstance(told, dict) or not _text(told.get("id")) or not _text(told.get("type")):
        raise Forged("the body is no event")
    about = _mapping(_mapping(told.get("data")).get("object"))
    is_refund = about.get("object") == "refund"
    is_of_payment = is_refund or about.get("object") == "dispute"
    return Event(
        id=told["id"],
        kind=told["type"],
        refund=_text(about.get("id")) if is_refund else "",
        refund_key=_text(_mapping(about.get("metadata")).get("refund_key")) if is_refund else "",
        payments=_payments(about) if is_of_payment else (),
        customer=_customer(about),
    )


def _payments(about: dict[str, Any]) -> tuple[str, ...]:
    named = (_text(about.get(name)) for name in ("payment_intent", "charge"))
    return tuple(one for one in named if one)


def _customer(about: dict[str, Any]) -> str:
    return _text(about.get("id") if about.get("object") == "customer" else about.get("customer"))


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """A reference of sensible length that a database can hold, or nothing."""
    if not isinstance(value, str) or len(value) > 255 or "\0" in value:
        return ""
    return value if value.isascii() else ""
