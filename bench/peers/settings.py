"""What both peers are about: the people of the large organisation, newest first, as its owner sees
them. They are installed apart and know nothing of Affluent but its tables and its catalogue."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

DATABASE = os.environ["BENCH_DATABASE"]
SECRET = "a key for benchmarks, long enough"
COOKIE = "peer"
CATALOGUE = Path(__file__).parents[2] / "webapp" / "translations"
PAGE = 50
TABS = (
    ("", "Everybody"),
    ("active", "Members"),
    ("pending", "Pending"),
    ("attention", "Need attention"),
    ("revoked", "Cancelled"),
)
ROLES = {"owner": "Owner", "admin": "Administrator", "finance": "Finance", "member": "Member"}
STATES = {
    "active": "Active",
    "pending": "Pending",
    "expired": "Expired",
    "refused": "Email refused",
    "declined": "Declined",
    "revoked": "Cancelled",
    "superseded": "Closed",
}


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def shown(members: Any, invitations: Any, now: datetime) -> list[SimpleNamespace]:
    """The first page of both, merged."""
    found = [_member(one) for one in members] + [_invitation(one, now) for one in invitations]
    found.sort(key=lambda each: (each.since, each.kind, each.id), reverse=True)
    return found[:PAGE]


def _member(one: Any) -> SimpleNamespace:
    role = "owner" if one.is_owner else _role(one)
    return SimpleNamespace(
        kind="member", id=one.id, name=one.user.name, email=one.user.email, role=ROLES[role],
        licence=one.licence, department=one.department, job_title=one.job_title, status="active",
        state=STATES["active"], since=_aware(one.joined_at), is_waiting=False, note="", inviter="",
    )  # fmt: skip


def _invitation(one: Any, now: datetime) -> SimpleNamespace:
    status = one.status
    if status == "pending" and _aware(one.expires_at) <= now:
        status = "expired"
    elif status == "pending" and one.delivery == "refused":
        status = "refused"
    return SimpleNamespace(
        kind="invitation", id=one.id, name=one.name, email=one.email, role=ROLES[_role(one)],
        licence=one.licence, department=one.department, job_title=one.job_title, status=status,
        state=STATES[status], since=_aware(one.created_at), delivery=one.delivery,
        is_waiting=status in ("pending", "expired", "refused"),
        expires_at=_aware(one.expires_at), next_try_at=one.next_try_at,
        note=one.decline_reason if status == "declined" else one.delivery_note,
        inviter=one.inviter.name or one.inviter.email,
    )  # fmt: skip


def _role(one: Any) -> str:
    return "admin" if one.is_admin else "finance" if one.is_finance else "member"


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
