import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices import ledger
from invoices.ledger import LedgerAccountRef, Transfer, balances, check

PERSON, ORGANISATION = 1, 2


def balance_of(transfers, account_id, kind):
    return balances(transfers).get(LedgerAccountRef(account_id, kind, "EUR"), 0)


def test_a_refund_goes_from_prepaid_through_held_and_requested_out_of_the_gateway():
    story = [
        ledger.captured(7, PERSON, "EUR", 1000),
        ledger.refund_held(3, PERSON, "EUR", 600),
        ledger.refund_requested(5, PERSON, "EUR", 600),
        ledger.refund_succeeded(5, PERSON, "EUR", 600),
    ]
    check(story)
    assert balance_of(story, PERSON, "captured") == 400
    assert balance_of(story, PERSON, "prepaid") == 400
    assert balance_of(story, PERSON, "refund_held") == 0
    assert balance_of(story, PERSON, "refund_requested") == 0


def test_a_credit_goes_from_the_person_to_the_organisation_and_into_an_invoice():
    story = [
        ledger.captured(7, PERSON, "EUR", 1000),
        ledger.credit_held(3, PERSON, ORGANISATION, "EUR", 600),
        ledger.credit_available(3, ORGANISATION, "EUR", 600),
        ledger.credit_used(9, 1, ORGANISATION, "EUR", 250),
    ]
    check(story)
    assert balance_of(story, PERSON, "prepaid") == 400
    assert balance_of(story, ORGANISATION, "credit_held") == 0
    assert balance_of(story, ORGANISATION, "credit_available") == 350
    assert balance_of(story, ORGANISATION, "credit_used") == 250


def test_a_failed_refund_is_held_again_and_can_be_tried_again():
    story = [
        ledger.captured(7, PERSON, "EUR", 1000),
        ledger.refund_held(3, PERSON, "EUR", 600),
        ledger.refund_requested(5, PERSON, "EUR", 600),
        ledger.refund_failed(5, PERSON, "EUR", 600),
    ]
    assert balance_of(story, PERSON, "refund_held") == 600
    again = [
        *story,
        ledger.refund_requested(5, PERSON, "EUR", 600, attempt=2),
        ledger.refund_succeeded(5, PERSON, "EUR", 600, attempt=2),
        ledger.refund_returned_after_success(5, PERSON, "EUR", 600, attempt=2),
    ]
    check(again)
    assert balance_of(again, PERSON, "refund_requested") == 600
    assert balance_of(again, PERSON, "captured") == 1000


@pytest.mark.parametrize(
    "held",
    [ledger.refund_held(3, PERSON, "EUR", 600),
     ledger.credit_held(3, PERSON, ORGANISATION, "EUR", 600)],
)  # fmt: skip
def test_undoing_restores_every_balance(held):
    before = [ledger.captured(7, PERSON, "EUR", 1000)]
    after = [*before, held, ledger.reversed_transfer(held, "settlement:3:undone")]
    check(after)
    assert {account: amount for account, amount in balances(after).items() if amount} == balances(
        before
    )


def test_what_was_given_back_before_the_import_is_neither_held_nor_prepaid():
    story = [
        ledger.captured(7, PERSON, "EUR", 1000),
        ledger.returned_before(7, PERSON, "EUR", 300),
    ]
    check(story)
    assert balance_of(story, PERSON, "captured") == balance_of(story, PERSON, "prepaid") == 700


def test_an_event_repeated_makes_the_same_key_which_is_refused():
    once = ledger.captured(7, PERSON, "EUR", 1000)
    assert once == ledger.captured(7, PERSON, "EUR", 1000)
    with pytest.raises(ValueError, match="capture:7 is there twice"):
        check([once, once])


def test_keys_of_different_events_differ():
    made = [
        ledger.captured(1, PERSON, "EUR", 1),
        ledger.returned_before(1, PERSON, "EUR", 1),
        ledger.refund_held(1, PERSON, "EUR", 1),
        ledger.credit_available(1, ORGANISATION, "EUR", 1),
        ledger.refund_requested(1, PERSON, "EUR", 1),
        ledger.refund_requested(1, PERSON, "EUR", 1, attempt=2),
        ledger.refund_succeeded(1, PERSON, "EUR", 1),
        ledger.refund_failed(1, PERSON, "EUR", 1),
        ledger.refund_returned_after_success(1, PERSON, "EUR", 1),
        ledger.credit_used(1, 1, ORGANISATION, "EUR", 1),
        ledger.credit_used(1, 2, ORGANISATION, "EUR", 1),
    ]
    assert len({transfer.key for transfer in made}) == len(made)


def test_a_settlement_is_held_once_whatever_the_choice():
    refund = ledger.refund_held(3, PERSON, "EUR", 600)
    credit = ledger.credit_held(3, PERSON, ORGANISATION, "EUR", 600)
    assert refund.key == credit.key


def test_an_overdraft_is_found():
    with pytest.raises(ValueError, match="overdrawn by 600"):
        check([ledger.refund_held(3, PERSON, "EUR", 600)])
    with pytest.raises(ValueError, match="overdrawn"):
        check([ledger.refund_succeeded(3, PERSON, "EUR", 600)])


def test_transfers_that_move_nothing_or_mix_currencies_are_refused():
    euro, yen = (LedgerAccountRef(PERSON, "prepaid", code) for code in ("EUR", "JPY"))
    held = LedgerAccountRef(PERSON, "refund_held", "EUR")
    for amount in (0, -1):
        with pytest.raises(ValueError, match="more than nothing"):
            Transfer("k", euro, held, amount, "refund_held")
    with pytest.raises(ValueError, match="currency"):
        Transfer("k", yen, held, 1, "refund_held")
    with pytest.raises(ValueError, match="two different"):
        Transfer("k", euro, euro, 1, "refund_held")
    with pytest.raises(ValueError, match="not a kind"):
        LedgerAccountRef(PERSON, "savings", "EUR")


@given(st.lists(st.tuples(st.sampled_from(sorted(ledger.NORMAL)), st.integers(1, 10**9))))
def test_debits_equal_credits_whatever_moves(moves):
    transfers = [
        Transfer(
            str(at),
            LedgerAccountRef(PERSON, kind, "EUR"),
            LedgerAccountRef(ORGANISATION, kind, "EUR"),
            amount,
            "move",
        )
        for at, (kind, amount) in enumerate(moves)
    ]
    signed = [
        amount if ledger.NORMAL[account.kind] == "debit" else -amount
        for account, amount in balances(transfers).items()
    ]
    assert sum(signed) == 0
