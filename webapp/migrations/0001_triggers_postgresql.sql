CREATE FUNCTION ledger_transfer_checked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  debit ledger_account;
  credit ledger_account;
BEGIN
  -- Locked in the order of their ids, so that two transfers cannot wait for each other.
  PERFORM 1 FROM ledger_account WHERE id IN (NEW.debit_id, NEW.credit_id) ORDER BY id FOR NO KEY UPDATE;
  SELECT * INTO debit FROM ledger_account WHERE id = NEW.debit_id;
  SELECT * INTO credit FROM ledger_account WHERE id = NEW.credit_id;
  IF debit.currency IS DISTINCT FROM credit.currency THEN
    RAISE EXCEPTION 'ledger: a transfer across currencies' USING ERRCODE = 'check_violation';
  END IF;
  IF (debit.normal = 'credit' AND NEW.amount_minor >
      (SELECT COALESCE(SUM(amount_minor), 0) FROM ledger_transfer WHERE credit_id = NEW.debit_id)
    - (SELECT COALESCE(SUM(amount_minor), 0) FROM ledger_transfer WHERE debit_id = NEW.debit_id))
  OR (credit.normal = 'debit' AND NEW.amount_minor >
      (SELECT COALESCE(SUM(amount_minor), 0) FROM ledger_transfer WHERE debit_id = NEW.credit_id)
    - (SELECT COALESCE(SUM(amount_minor), 0) FROM ledger_transfer WHERE credit_id = NEW.credit_id))
  THEN
    RAISE EXCEPTION 'ledger: an overdraft' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$

CREATE TRIGGER ledger_transfer_checked BEFORE INSERT ON ledger_transfer
FOR EACH ROW EXECUTE FUNCTION ledger_transfer_checked()

CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'check_violation';
END $$

CREATE TRIGGER ledger_transfer_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfer
FOR EACH STATEMENT EXECUTE FUNCTION refused('ledger: transfers only grow')

CREATE TRIGGER ledger_account_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_account
FOR EACH STATEMENT EXECUTE FUNCTION refused('ledger: accounts only grow')

CREATE TRIGGER audit_event_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
FOR EACH STATEMENT EXECUTE FUNCTION refused('audit: events only grow')

CREATE TRIGGER statement_frozen BEFORE UPDATE OF
  id, number, seller, kind, year, sequence, account_id, user_id, settlement_id, corrects_id,
  customer_name, currency, gross_minor, tax_minor, locale, issued_on, issued_at, inputs
ON statement FOR EACH ROW EXECUTE FUNCTION refused('statement: frozen')

CREATE TRIGGER statement_rendered_once BEFORE UPDATE ON statement
FOR EACH ROW WHEN (OLD.pdf IS NOT NULL) EXECUTE FUNCTION refused('statement: frozen')

CREATE TRIGGER statement_no_delete BEFORE DELETE OR TRUNCATE ON statement
FOR EACH STATEMENT EXECUTE FUNCTION refused('statement: never deleted')
