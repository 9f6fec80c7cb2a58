CREATE TRIGGER ledger_transfer_currency BEFORE INSERT ON ledger_transfer
WHEN (SELECT currency FROM ledger_account WHERE id = NEW.debit_id)
  IS NOT (SELECT currency FROM ledger_account WHERE id = NEW.credit_id)
BEGIN SELECT RAISE(ABORT, 'ledger: a transfer across currencies'); END

CREATE TRIGGER ledger_transfer_overdraft_debit BEFORE INSERT ON ledger_transfer
WHEN (SELECT normal FROM ledger_account WHERE id = NEW.debit_id) = 'credit'
 AND (SELECT COALESCE(SUM(amount_minor), 0) FROM ledger_transfer WHERE credit_id = NEW.debit_id)
   - (SELECT COALESCE(SUM(amount_minor), 0) FROM ledger_transfer WHERE debit_id = NEW.debit_id)
   < NEW.amount_minor
BEGIN SELECT RAISE(ABORT, 'ledger: an overdraft'); END

CREATE TRIGGER ledger_transfer_overdraft_credit BEFORE INSERT ON ledger_transfer
WHEN (SELECT normal FROM ledger_account WHERE id = NEW.credit_id) = 'debit'
 AND (SELECT COALESCE(SUM(amount_minor), 0) FROM ledger_transfer WHERE debit_id = NEW.credit_id)
   - (SELECT COALESCE(SUM(amount_minor), 0) FROM ledger_transfer WHERE credit_id = NEW.credit_id)
   < NEW.amount_minor
BEGIN SELECT RAISE(ABORT, 'ledger: an overdraft'); END

CREATE TRIGGER ledger_transfer_no_update BEFORE UPDATE ON ledger_transfer
BEGIN SELECT RAISE(ABORT, 'ledger: transfers only grow'); END

CREATE TRIGGER ledger_transfer_no_delete BEFORE DELETE ON ledger_transfer
BEGIN SELECT RAISE(ABORT, 'ledger: transfers only grow'); END

CREATE TRIGGER ledger_account_no_update BEFORE UPDATE ON ledger_account
BEGIN SELECT RAISE(ABORT, 'ledger: accounts only grow'); END

CREATE TRIGGER ledger_account_no_delete BEFORE DELETE ON ledger_account
BEGIN SELECT RAISE(ABORT, 'ledger: accounts only grow'); END

CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event
BEGIN SELECT RAISE(ABORT, 'audit: events only grow'); END

CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event
BEGIN SELECT RAISE(ABORT, 'audit: events only grow'); END

CREATE TRIGGER statement_frozen BEFORE UPDATE OF
  id, number, seller, kind, year, sequence, account_id, user_id, settlement_id, corrects_id,
  customer_name, currency, gross_minor, tax_minor, locale, issued_on, issued_at, inputs
ON statement
BEGIN SELECT RAISE(ABORT, 'statement: frozen'); END

CREATE TRIGGER statement_rendered_once BEFORE UPDATE ON statement WHEN OLD.pdf IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'statement: frozen'); END

CREATE TRIGGER statement_no_delete BEFORE DELETE ON statement
BEGIN SELECT RAISE(ABORT, 'statement: never deleted'); END
