"""What the state machine of `life.py` expects: people, plans and money in plain Python, written
from the rules and not from the program. Every verb returns "" when it was done, or the name of the
error that the program answers with."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

HOME = -1  # a person's own account; an organisation is its index
DAY = timedelta(hours=24)
INVITED_FOR = timedelta(days=30)
HELD_FOR = timedelta(hours=24)
SETTLES_IN = timedelta(seconds=20)
SEATS = 1


@dataclass(eq=False)
class Payment:
    minor: int
    fate: str  # of its refunds: "succeeds", "fails"; "none" where no gateway took it
    returned: int = 0


@dataclass(eq=False)
class Refund:
    payment: Payment
    minor: int
    state: str = "held"
    made_at: datetime = datetime.max
    is_replaced: bool = False  # by another try, or by credit


@dataclass(eq=False)
class Person:
    currency: str
    ends_on: date
    payments: list[Payment]
    place: "Place" = field(default_factory=lambda: Place())
    is_plan_active: bool = True
    invoices: list["Invoice"] = field(default_factory=list)

    @property
    def is_paying(self) -> bool:
        return self.is_plan_active and bool(self.payments)


@dataclass(frozen=True, eq=False)
class Place:
    """A membership: where, with which licence, and by which acceptance."""

    where: int = HOME
    licence: str = "basic"
    by: "Acceptance | None" = None


@dataclass(eq=False)
class Organisation:
    is_active: bool = True
    held: int = 0
    available: int = 0
    used: int = 0
    invoices: list["Invoice"] = field(default_factory=list)


@dataclass(eq=False)
class Invoice:
    total: int
    paid: int = 0
    by_credit: int = 0
    is_void: bool = False

    @property
    def is_owed(self) -> bool:
        return not self.is_void and self.paid < self.total


@dataclass(eq=False)
class Invitation:
    organisation: int
    person: Person
    licence: str
    expires_at: datetime
    mails: list["Mail"]
    status: str = "pending"

    def shown(self, now: datetime) -> str:
        is_over = self.status == "pending" and self.expires_at <= now
        return "expired" if is_over else self.status


@dataclass(eq=False)
class Mail:
    at: datetime
    state: str = "waits"  # then "left" or "withdrawn"


@dataclass(eq=False)
class Acceptance:
    person: Person
    organisation: int
    left: Place
    ended_plan: bool
    undo_until: datetime
    choice: str = ""
    minor: int = 0
    refunds: list[Refund] = field(default_factory=list)
    is_released: bool = False
    is_undone: bool = False

    def is_held(self, now: datetime) -> bool:
        return not self.is_undone and now < self.undo_until


class Model:
    def __init__(self, now: datetime, organisations: int) -> None:
        self.now = now
        self.organisations = [Organisation() for _ in range(organisations)]
        self.people: list[Person] = []
        self.invitations: list[Invitation] = []
        self.acceptances: list[Acceptance] = []
        self.statements = {"refund": 0, "credit": 0, "account_credit": 0}

    def arrive(self, currency: str, ends_on: date, payments: list[Payment]) -> Person:
        self.people.append(Person(currency, ends_on, payments))
        return self.people[-1]

    def invoices(self) -> list[Invoice]:
        return [one for each in (*self.organisations, *self.people) for one in each.invoices]

    def payers(self) -> list[Person]:
        """Who has something to settle, and nothing in the way."""
        return [
            one
            for one in self.people
            if self.worth(one) and not any(each.is_owed for each in one.invoices)
        ]

    # Inviting

    def invite(self, organisation: int, person: Person, licence: str) -> str:
        if person.place.where == organisation or self.pending(organisation, person):
            return "not ready"
        if self._wants_rest(person):
            return "not ready"
        if not self.organisations[organisation].is_active:
            return "NotAllowed"
        expires_at, mail = self.now + INVITED_FOR, Mail(self.now)
        self.invitations.append(Invitation(organisation, person, licence, expires_at, [mail]))
        return ""

    def resend(self, invitation: Invitation) -> str:
        if not self.organisations[invitation.organisation].is_active:
            return "NotAllowed"
        if invitation.status != "pending":
            return "Stale"
        if self._wants_rest(invitation.person):
            return "TooMany"
        self._withdraw_mails(invitation)
        invitation.expires_at = self.now + INVITED_FOR
        invitation.mails.append(Mail(self.now))
        return ""

    def end(self, invitation: Invitation, status: str) -> str:
        """Revoked or declined."""
        if invitation.status == status:
            return ""
        if invitation.status != "pending":
            return "Stale"
        invitation.status = status
        self._withdraw_mails(invitation)
        return ""

    def pending(self, organisation: int, person: Person) -> list[Invitation]:
        return [
            one
            for one in self.invitations
            if one.status == "pending" and one.person is person and one.organisation == organisation
        ]

    def _wants_rest(self, person: Person) -> bool:
        mails = [
            mail
            for one in self.invitations
            if one.person is person
            for mail in one.mails
            if mail.state != "withdrawn" and mail.at > self.now - DAY
        ]
        return len(mails) >= 3

    def _withdraw_mails(self, invitation: Invitation) -> None:
        for mail in invitation.mails:
            if mail.state == "waits":
                mail.state = "withdrawn"

    # Joining

    def worth(self, person: Person) -> int | None:
        """Rule M2; None where there is no plan to leave."""
        if person.place.where != HOME or not person.is_paying:
            return None
        today = self.now.astimezone(ZoneInfo("Europe/Paris")).date()
        days, unused = 30, max(0, (person.ends_on - today).days)
        paid = sum(one.minor for one in person.payments)
        returned = sum(one.returned for one in person.payments)
        return min((2 * paid * unused + days) // (2 * days), paid - returned)

    def accept(self, invitation: Invitation, choice: str) -> str:
        person, organisation = invitation.person, self.organisations[invitation.organisation]
        if invitation.status == "accepted":
            return ""
        refusal = self._why_not(invitation, person, organisation)
        if refusal:
            return refusal
        worth = self.worth(person) or 0
        if worth and choice == "credit" and person.currency != "EUR":
            return "Invalid"
        acceptance = self._move(invitation, person)
        if worth:
            self._settle(acceptance, choice, worth)
        for other in self.invitations:
            if other.person is person and other.status == "pending":
                other.status = "superseded"
                self._withdraw_mails(other)
        return ""

    def _why_not(self, invitation: Invitation, person: Person, to: Organisation) -> str:
        if invitation.shown(self.now) != "pending":
            return "Gone"
        if not to.is_active or person.place.where == invitation.organisation:
            return "Blocked"
        if person.place.where == HOME and any(one.is_owed for one in person.invoices):
            return "Blocked"
        if person.place.where == HOME and self._is_refunded(person):
            return "Blocked"
        if invitation.licence == "licensed" and self.seats_used(invitation.organisation) >= SEATS:
            return "Blocked"
        return ""

    def _is_refunded(self, person: Person) -> bool:
        """Who left again has their own account back, and with it the refund that is on its way."""
        theirs = (one for one in self.acceptances if one.person is person)
        return any(refund.state == "pending" for one in theirs for refund in one.refunds)

    def seats_used(self, organisation: int) -> int:
        places = [person.place for person in self.people]
        return sum(one.where == organisation and one.licence == "licensed" for one in places)

    def _move(self, invitation: Invitation, person: Person) -> Acceptance:
        invitation.status = "accepted"
        self._withdraw_mails(invitation)
        ended = person.place.where == HOME and person.is_paying
        until = self.now + HELD_FOR
        acceptance = Acceptance(person, invitation.organisation, person.place, ended, until)
        person.is_plan_active = person.is_plan_active and not ended
        person.place = Place(invitation.organisation, invitation.licence, acceptance)
        self.acceptances.append(acceptance)
        return acceptance

    def _settle(self, acceptance: Acceptance, choice: str, worth: int) -> None:
        acceptance.choice, acceptance.minor = choice, worth
        for payment, minor in _spread(worth, acceptance.person.payments):
            payment.returned += minor
            acceptance.refunds.append(Refund(payment, minor))
        self._issue(acceptance)
        if choice == "credit":
            self.organisations[acceptance.organisation].held += worth

    def _issue(self, acceptance: Acceptance) -> None:
        if acceptance.choice:
            self.statements[acceptance.choice] += 1
        if acceptance.choice == "credit":
            self.statements["account_credit"] += 1

    def undo(self, acceptance: Acceptance) -> str:
        if acceptance.is_undone:
            return ""
        if not self._may_undo(acceptance):
            return "Blocked"
        if not acceptance.is_held(self.now):
            return "Stale"
        acceptance.is_undone = True
        person = acceptance.person
        person.place = acceptance.left
        person.is_plan_active = person.is_plan_active or acceptance.ended_plan
        for refund in acceptance.refunds:
            refund.payment.returned -= refund.minor
            refund.state = "canceled"
        self._issue(acceptance)
        if acceptance.choice == "credit":
            self.organisations[acceptance.organisation].held -= acceptance.minor
        return ""

    def _may_undo(self, acceptance: Acceptance) -> bool:
        """From where the acceptance led, or after leaving from the own free account."""
        person = acceptance.person
        if person.place.by is acceptance:
            return True
        after = self.acceptances[self.acceptances.index(acceptance) + 1 :]
        went_on = any(one.person is person and not one.is_undone for one in after)
        return person.place.where == HOME and not person.is_paying and not went_on

    def send_now(self, acceptance: Acceptance) -> str:
        if acceptance.is_undone:
            return "Stale"
        if acceptance.is_held(self.now):
            acceptance.undo_until = self.now
        return ""

    def leave(self, person: Person) -> str:
        if person.place.where == HOME:
            return "NotThere"
        person.place = Place()
        return ""

    # Invoices

    def bill(self, organisation: int, total: int) -> str:
        """Rule M8: its credit pays what it can."""
        owing = self.organisations[organisation]
        by_credit = min(total, owing.available)
        owing.available -= by_credit
        owing.used += by_credit
        owing.invoices.append(Invoice(total, by_credit, by_credit))
        return ""

    def owe(self, person: Person, total: int) -> str:
        if person.place.where != HOME:
            return "Invalid"
        person.invoices.append(Invoice(total))
        return ""

    def pay(self, invoice: Invoice) -> str:
        if invoice.is_void:
            return "Invalid"
        invoice.paid = invoice.total
        return ""

    def void(self, invoice: Invoice) -> str:
        if invoice.is_void:
            return ""
        if invoice.paid > invoice.by_credit:
            return "Invalid"
        invoice.is_void = True
        for one in self.organisations:
            if invoice in one.invoices:
                one.used -= invoice.by_credit
                one.available += invoice.by_credit
        invoice.paid = invoice.by_credit = 0
        return ""

    # What the worker does

    def work(self) -> None:
        for invitation in self.invitations:
            for mail in invitation.mails:
                if mail.state == "waits":
                    mail.state = "left"
        for acceptance in self.acceptances:
            if acceptance.is_undone or acceptance.is_held(self.now):
                continue
            if acceptance.choice == "credit":
                self._release(acceptance)
            elif acceptance.choice == "refund":
                for refund in acceptance.refunds:
                    self._carry_on(refund)

    def _release(self, acceptance: Acceptance) -> None:
        if not acceptance.is_released:
            acceptance.is_released = True
            organisation = self.organisations[acceptance.organisation]
            organisation.held -= acceptance.minor
            organisation.available += acceptance.minor

    def _carry_on(self, refund: Refund) -> None:
        if refund.state == "held":
            by_hand = refund.payment.fate == "none"
            refund.state = "requested" if by_hand else "pending"
            refund.made_at = self.now
        elif refund.state == "pending" and self.now >= refund.made_at + SETTLES_IN:
            is_good = refund.payment.fate == "succeeds"
            refund.state = "succeeded" if is_good else "failed"

    def is_waiting(self) -> bool:
        """Is there anything for a worker to do, now or later?"""
        mails = (mail for one in self.invitations for mail in one.mails)
        held = (one for one in self.acceptances if one.choice and not one.is_undone)
        return any(mail.state == "waits" for mail in mails) or any(
            not one.is_released
            and (
                one.choice == "credit"
                or any(refund.state in ("held", "pending") for refund in one.refunds)
            )
            for one in held
        )

    def due_refunds(self) -> list[Refund]:
        """What the gateway is asked for next."""
        return [
            refund
            for one in self.acceptances
            if one.choice == "refund" and not one.is_undone and not one.is_held(self.now)
            for refund in one.refunds
            if refund.state == "held" and refund.payment.fate != "none"
        ]

    def refuse_next(self) -> bool:
        """The bank's definite no to the one refund that is due; False where there is not one."""
        due = self.due_refunds()
        if len(due) == 1:
            due[0].state = "failed"
        return len(due) == 1

    # Ways on from a failure

    def go_on(self, acceptance: Acceptance, refund: Refund, way: str) -> str:
        is_payout = refund.state == "requested" and way == "by hand"
        is_failed = refund.state == "failed" and not refund.is_replaced
        if is_payout:
            refund.state = "succeeded"
            return ""
        if not is_failed:
            return "Stale"
        if way == "credit" and acceptance.person.currency != "EUR":
            return "Invalid"
        refund.is_replaced = True
        if way == "credit":
            refund.state = "canceled"
            self.organisations[acceptance.organisation].available += refund.minor
            self.statements["account_credit"] += 1
            return ""
        state = "held" if way == "again" else "succeeded"
        acceptance.refunds.append(Refund(refund.payment, refund.minor, state))
        return ""


def _spread(minor: int, payments: list[Payment]) -> list[tuple[Payment, int]]:
    """Rule M4."""
    left, parts = minor, []
    holding = sorted(payments, key=lambda one: one.minor - one.returned)
    while left:
        enough = [one for one in holding if one.minor - one.returned >= left]
        payment = enough[0] if enough else holding[-1]
        holding.remove(payment)
        part = min(left, payment.minor - payment.returned)
        parts.append((payment, part))
        left -= part
    return parts
