"""An organisation's available credit, moved to its customer's balance at the payment gateway,
which then takes it from the invoices that it writes itself. Each push is made once, like a refund:
its row is committed before the gateway is asked, with a key of its own."""

from invoices.ledger import LedgerAccountRef, Transfer, reversed_transfer
from webapp import clock, outbox
from webapp.actions import credit, ledger
from webapp.database import locked, transaction
from webapp.errors import Invalid, NotThere
from webapp.models import Account, AuditEvent, CreditPush, CreditUse
from webapp.payments.gateway import Gateway, GatewayRefusal


def push(account: Account, currency: str = "") -> CreditPush | None:
    """Moves all of the credit that is available, in the account's currency unless another is
    given. None when there is none, or a push of it is still under way. Raises NotThere for what is
    no organisation, Invalid for one that the gateway doesn't know."""
    with transaction():
        # Invoices take credit under the same lock.
        fresh = locked(Account.select().where(Account.id == account.id)).get()
        if not fresh.is_organisation:
            raise NotThere("organisation", given=fresh.public_id)
        if fresh.gateway_customer is None:
            raise Invalid("no_customer", field="account", given=fresh.public_id)
        lots = credit.left_in_lots(fresh.id, currency or fresh.currency)
        if not lots or _is_under_way(fresh, currency or fresh.currency):
            return None
        made = _write(fresh, currency or fresh.currency, lots)
        ledger.post([_transfer(made)])
        outbox.write("credit:push", {"push_id": made.id})
        _record(made, "credit:pushed")
    return made


def send(push_id: int, gateway: Gateway) -> None:
    """Asks the gateway, which makes it once however often it is asked. A definite no gives the
    credit back to the account. Raises GatewayAway."""
    made: CreditPush = CreditPush.get_by_id(push_id)
    if made.state != "requested":
        return
    customer = str(made.organisation.gateway_customer)
    try:
        reference = gateway.push_credit(customer, made.amount_minor, made.currency, made.key)
    except GatewayRefusal as no:
        _give_back(made, str(no))
        return
    CreditPush.update(state="succeeded", gateway_reference=reference).where(
        CreditPush.id == made.id, CreditPush.state == "requested"
    ).execute()


def _is_under_way(account: Account, currency: str) -> bool:
    return bool(
        CreditPush.select()
        .where(
            CreditPush.organisation == account,
            CreditPush.currency == currency,
            CreditPush.state == "requested",
        )
        .exists()
    )


def _write(account: Account, currency: str, lots: list[tuple[int, int]]) -> CreditPush:
    now = clock.now()
    made: CreditPush = CreditPush.create(
        organisation=account,
        currency=currency,
        amount_minor=sum(left for _, left in lots),
        key=f"credit-{clock.new_public_id()}",
        created_at=now,
    )
    CreditUse.insert_many(
        {"push": made.id, "lot": lot_id, "amount_minor": left, "used_at": now}
        for lot_id, left in lots
    ).execute()
    return made


def _give_back(made: CreditPush, reason: str) -> None:
    with transaction():
        locked(Account.select(Account.id).where(Account.id == made.organisation_id)).first()
        changed = (
            CreditPush.update(state="failed", reason=reason[:500])
            .where(CreditPush.id == made.id, CreditPush.state == "requested")
            .execute()
        )
        if changed != 1:
            return
        CreditUse.update(given_back_at=clock.now()).where(CreditUse.push == made).execute()
        back = reversed_transfer(_transfer(made), f"push:{made.id}:given-back")
        ledger.post([back])
        _record(made, "credit:push-refused")


def _transfer(made: CreditPush) -> Transfer:
    available, used = (
        LedgerAccountRef(made.organisation_id, kind, made.currency)
        for kind in ("credit_available", "credit_used")
    )
    return Transfer(f"push:{made.id}", available, used, made.amount_minor, "credit_pushed")


def _record(made: CreditPush, kind: str) -> None:
    AuditEvent.create(
        at=clock.now(),
        account=made.organisation_id,
        kind=kind,
        subject=f"push:{made.id}",
        facts={"amount_minor": made.amount_minor, "currency": made.currency},
    )
