"""With Flask-SQLAlchemy, Flask-Login, Flask-WTF and Flask-Babel."""

from datetime import UTC, datetime
from typing import Any

from flask import Flask, render_template
from flask_babel import Babel
from flask_login import LoginManager, UserMixin, current_user, login_required
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import ForeignKey, case, func, or_, select
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from bench.peers import settings

app = Flask(__name__, template_folder="flask_templates")
app.config.update(
    SECRET_KEY=settings.SECRET,
    SQLALCHEMY_DATABASE_URI=settings.DATABASE.replace("postgresql:", "postgresql+psycopg:"),
    BABEL_DEFAULT_LOCALE="fr",
    BABEL_TRANSLATION_DIRECTORIES=str(settings.CATALOGUE),
)
db: Any = SQLAlchemy(app)
csrf, babel, login = CSRFProtect(app), Babel(app), LoginManager(app)


class Account(db.Model):
    __tablename__ = "account"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    seats: Mapped[int]


class User(db.Model):
    __tablename__ = "user_"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    folded: Mapped[str]


class Membership(db.Model):
    __tablename__ = "membership"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    is_owner: Mapped[bool]
    is_admin: Mapped[bool]
    is_finance: Mapped[bool]
    licence: Mapped[str]
    department: Mapped[str]
    job_title: Mapped[str]
    joined_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    user: Mapped[User] = relationship()
    account: Mapped[Account] = relationship()


class Invitation(db.Model):
    __tablename__ = "invitation"
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int]
    email: Mapped[str]
    name: Mapped[str]
    department: Mapped[str]
    job_title: Mapped[str]
    licence: Mapped[str]
    is_admin: Mapped[bool]
    is_finance: Mapped[bool]
    inviter_id: Mapped[int] = mapped_column(ForeignKey("user_.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    status: Mapped[str]
    decline_reason: Mapped[str]
    delivery: Mapped[str]
    delivery_note: Mapped[str]
    next_try_at: Mapped[datetime | None]
    inviter: Mapped[User] = relationship()


class Session(UserMixin, db.Model):
    __tablename__ = "session_"
    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_.id"))
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    user: Mapped[User] = relationship()


@login.user_loader
def load(token: str) -> Session | None:
    query = select(Session).options(joinedload(Session.user))
    query = query.where(Session.token_hash == settings.hashed(token), Session.ended_at.is_(None))
    return db.session.scalars(query.where(Session.expires_at > datetime.now(UTC))).first()


@app.get("/users")
@login_required
def users() -> str:
    now, m, i = datetime.now(UTC), Membership, Invitation
    mine = db.session.scalars(
        select(m)
        .options(joinedload(m.account))
        .where(m.user_id == current_user.user_id, m.ended_at.is_(None))
    ).one()
    here = m.account_id == mine.account_id, m.ended_at.is_(None)
    there = i.account_id == mine.account_id, i.status != "accepted"
    members = select(m).options(joinedload(m.user)).where(*here)
    invited = select(i).options(joinedload(i.inviter)).where(*there)
    most = settings.PAGE + 1
    people = settings.shown(
        db.session.scalars(members.order_by(m.joined_at.desc(), m.id.desc()).limit(most)),
        db.session.scalars(invited.order_by(i.created_at.desc(), i.id.desc()).limit(most)),
        now,
    )
    departments = select(m.department).where(*here, m.department > "").distinct()
    return render_template(
        "users.html",
        me=current_user.user,
        account=mine.account,
        people=people,
        counts=_counts(here, there, now),
        tabs=settings.TABS,
        departments=[(name, name) for name in sorted(db.session.scalars(departments))],
    )


def _counts(here: Any, there: Any, now: datetime) -> dict[str, int]:
    i = Invitation
    waits, is_over, refused = i.status == "pending", i.expires_at <= now, i.delivery == "refused"
    pending = waits & ~is_over & ~refused
    attention = or_(waits & (is_over | refused), i.status == "declined")
    each = [func.sum(case((is_so, 1), else_=0)) for is_so in (pending, attention)]
    found = db.session.execute(select(*each).where(*there)).one()
    active, licensed = db.session.execute(
        select(func.count(), func.sum(case((Membership.licence == "licensed", 1), else_=0)))
        .select_from(Membership)
        .where(*here)
    ).one()
    return {"active": active, "licensed": licensed, "pending": found[0], "attention": found[1]}
