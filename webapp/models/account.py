"""Accounts (what pays, or is paid) and the plans they subscribe to."""

from datetime import datetime, timedelta

from peewee import (
    SQL,
    BooleanField,
    Check,
    DateField,
    ForeignKeyField,
    IntegerField,
    TextField,
)

from webapp.database import BaseModel, InstantField, as_instant
from webapp.models import written
from webapp.policy import policy

KINDS = ("individual", "organisation", "operator")


class Account(BaseModel):
    """`seats` and `invitations_per_day` are of organisations, and so is `basic_when_full`: may who
    is invited with a licence join without one while none is free? `imported_digest` of individuals:
    the fingerprint of the row they were last imported from. `gateway_customer` is who the account
    is at the payment gateway, where it is known there.

    Of organisations' own settings, `invitation_days` 0 stands for the operator's, and a reminder
    of 0 days for none: the first two count from the invitation, the last one back from its end.
    `second_factor` says of whom one is asked at sign-in: nobody, owners and admins, or all."""

    public_id = TextField(unique=True)
    kind = TextField()
    name = TextField()
    address = TextField(default="")
    country = TextField(default="")
    tax_id = TextField(default="")
    currency = TextField()
    locale = TextField()
    seats = IntegerField(default=0)
    invitations_per_day = IntegerField(default=1000)
    recommendation = TextField(default="")
    recommendation_note = TextField(default="")
    invitation_days = IntegerField(default=0)
    first_reminder_days = IntegerField(default=3)
    second_reminder_days = IntegerField(default=10)
    last_reminder_days = IntegerField(default=2)
    basic_when_full = BooleanField(default=False)
    second_factor = TextField(default="")
    created_at = InstantField()
    closed_at = InstantField(null=True)
    imported_digest = TextField(null=True)
    gateway_customer = TextField(null=True, unique=True)

    class Meta:
        constraints = [
            Check("kind IN ('individual', 'organisation', 'operator')", name="account_kind"),
            Check("length(currency) = 3", name="account_currency"),
            Check("locale IN ('fr', 'en')", name="account_locale"),
            Check("seats >= 0 AND invitations_per_day >= 0", name="account_limits"),
            Check("recommendation IN ('', 'refund', 'credit')", name="account_recommendation"),
            Check("invitation_days BETWEEN 0 AND 365", name="account_invitation_days"),
            Check(
                "first_reminder_days BETWEEN 0 AND 365 AND second_reminder_days BETWEEN 0 AND 365"
                " AND last_reminder_days BETWEEN 0 AND 365",
                name="account_reminder_days",
            ),
            Check("second_factor IN ('', 'admins', 'all')", name="account_second_factor"),
            Check("closed_at IS NULL OR kind = 'individual'", name="account_closed"),
        ]

    @property
    def is_organisation(self) -> bool:
        return bool(self.kind == "organisation")

    @property
    def invitations_live(self) -> timedelta:
        """How long an invitation of this organisation can be answered (rule I6)."""
        return timedelta(days=int(self.invitation_days or policy().invitation_days))

    def reminders(self, begins_at: datetime, ends_at: datetime) -> list[datetime]:
        """When an invitation is reminded of, in order (rule I7)."""
        after = (self.first_reminder_days, self.second_reminder_days)
        at = {begins_at + timedelta(days=int(days)) for days in after if days}
        if self.last_reminder_days:
            at.add(ends_at - timedelta(days=int(self.last_reminder_days)))
        return sorted(each for each in at if begins_at < each < ends_at)

    def closing(self, at: datetime) -> written.Change:
        """Its person goes elsewhere."""
        return "UPDATE account SET closed_at = ? WHERE id = ?", (as_instant(at), self.id)

    def subscription(self) -> "Subscription | None":
        """The plan in force, active or lapsed; None for a free account."""
        found: Subscription | None = Subscription.get_or_none(
            (Subscription.account == self) & (Subscription.status != "ended")
        )
        return found


Account.add_index(
    SQL("CREATE UNIQUE INDEX account_one_operator ON account (kind) WHERE kind = 'operator'")
)


class Subscription(BaseModel):
    """An account's paid plan. The billing period is [period_start_on, period_end_on) in days of
    `billing_zone`, which is frozen here; organisations have none. `trial_end_on` is the first
    day that was paid for, where a trial came before it (rule M3). `gateway_reference` is what the
    payment gateway charges it by, if it does; each period's row has the same."""

    account_id: int
    account = ForeignKeyField(Account, backref="subscriptions", index=False)
    plan = TextField()
    status = TextField(default="active")
    currency = TextField()
    billing_zone = TextField()
    period_start_on = DateField(null=True)
    period_end_on = DateField(null=True)
    trial_end_on = DateField(null=True)
    ended_at = InstantField(null=True)
    gateway_reference = TextField(null=True)

    class Meta:
        constraints = [
            Check("status IN ('active', 'lapsed', 'ended')", name="subscription_status"),
            Check("(status = 'ended') = (ended_at IS NOT NULL)", name="subscription_ended"),
            Check(
                "(period_start_on IS NULL AND period_end_on IS NULL)"
                " OR period_start_on < period_end_on",
                name="subscription_period",
            ),
        ]

    def end(self, at: datetime) -> bool:
        statement, values = self.ending(at)
        return bool(written.change(statement, *values))

    def ending(self, at: datetime) -> written.Change:
        statement = """
            UPDATE subscription SET status = 'ended', ended_at = ?
             WHERE id = ? AND status <> 'ended'
        """
        return statement, (as_instant(at), self.id)


Subscription.add_index(
    SQL(
        "CREATE UNIQUE INDEX subscription_one_in_force ON subscription (account_id)"
        " WHERE status <> 'ended'"
    )
)
Subscription.add_index(SQL("CREATE INDEX subscription_account ON subscription (account_id, id)"))
