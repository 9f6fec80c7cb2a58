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

CREATE TRIGGER ledger_transfer_no_replace BEFORE INSERT ON ledger_transfer
WHEN EXISTS (SELECT 1 FROM ledger_transfer WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'ledger: transfers only grow'); END

CREATE TRIGGER ledger_account_no_update BEFORE UPDATE ON ledger_account
BEGIN SELECT RAISE(ABORT, 'ledger: accounts only grow'); END

CREATE TRIGGER ledger_account_no_delete BEFORE DELETE ON ledger_account
BEGIN SELECT RAISE(ABORT, 'ledger: accounts only grow'); END

CREATE TRIGGER ledger_account_no_replace BEFORE INSERT ON ledger_account
WHEN EXISTS (SELECT 1 FROM ledger_account WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'ledger: accounts only grow'); END

CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event
BEGIN SELECT RAISE(ABORT, 'audit: events only grow'); END

CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event
BEGIN SELECT RAISE(ABORT, 'audit: events only grow'); END

CREATE TRIGGER audit_event_no_replace BEFORE INSERT ON audit_event
WHEN EXISTS (SELECT 1 FROM audit_event WHERE id = NEW.id)
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

CREATE TRIGGER statement_no_replace BEFORE INSERT ON statement
WHEN EXISTS (SELECT 1 FROM statement WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'statement: frozen'); END


CREATE TRIGGER people_count_begins AFTER INSERT ON account WHEN NEW.kind = 'organisation'
BEGIN
  INSERT INTO people_count
    (account_id, active, licensed, pending, refused, expired, declined, revoked, as_of)
  VALUES (NEW.id, 0, 0, 0, 0, 0, 0, 0, NEW.created_at);
END

CREATE TRIGGER people_count_member_added AFTER INSERT ON membership
BEGIN
  UPDATE people_count SET active = active + 1, licensed = licensed + (NEW.licence = 'licensed')
   WHERE account_id = NEW.account_id AND NEW.ended_at IS NULL;
END

CREATE TRIGGER people_count_member_changed AFTER UPDATE OF account_id, licence, ended_at ON membership
BEGIN
  UPDATE people_count SET active = active - 1, licensed = licensed - (OLD.licence = 'licensed')
   WHERE account_id = OLD.account_id AND OLD.ended_at IS NULL;
  UPDATE people_count SET active = active + 1, licensed = licensed + (NEW.licence = 'licensed')
   WHERE account_id = NEW.account_id AND NEW.ended_at IS NULL;
END

CREATE TRIGGER people_count_member_gone AFTER DELETE ON membership
BEGIN
  UPDATE people_count SET active = active - 1, licensed = licensed - (OLD.licence = 'licensed')
   WHERE account_id = OLD.account_id AND OLD.ended_at IS NULL;
END

CREATE TRIGGER people_count_invitation_added AFTER INSERT ON invitation
BEGIN
  UPDATE people_count SET
    pending = pending + (NEW.status = 'pending' AND NEW.expires_at > as_of AND NEW.delivery <> 'refused'),
    refused = refused + (NEW.status = 'pending' AND NEW.expires_at > as_of AND NEW.delivery = 'refused'),
    expired = expired + (NEW.status = 'pending' AND NEW.expires_at <= as_of),
    declined = declined + (NEW.status = 'declined'),
    revoked = revoked + (NEW.status = 'revoked')
  WHERE account_id = NEW.account_id AND substr(NEW.email, -15) <> '@erased.invalid';
END

CREATE TRIGGER people_count_invitation_changed
AFTER UPDATE OF account_id, email, status, delivery, expires_at ON invitation
WHEN (OLD.account_id, OLD.email, OLD.status, OLD.delivery = 'refused', OLD.expires_at)
  IS NOT (NEW.account_id, NEW.email, NEW.status, NEW.delivery = 'refused', NEW.expires_at)
BEGIN
  UPDATE people_count SET
    pending = pending - (OLD.status = 'pending' AND OLD.expires_at > as_of AND OLD.delivery <> 'refused'),
    refused = refused - (OLD.status = 'pending' AND OLD.expires_at > as_of AND OLD.delivery = 'refused'),
    expired = expired - (OLD.status = 'pending' AND OLD.expires_at <= as_of),
    declined = declined - (OLD.status = 'declined'),
    revoked = revoked - (OLD.status = 'revoked')
  WHERE account_id = OLD.account_id AND substr(OLD.email, -15) <> '@erased.invalid';
  UPDATE people_count SET
    pending = pending + (NEW.status = 'pending' AND NEW.expires_at > as_of AND NEW.delivery <> 'refused'),
    refused = refused + (NEW.status = 'pending' AND NEW.expires_at > as_of AND NEW.delivery = 'refused'),
    expired = expired + (NEW.status = 'pending' AND NEW.expires_at <= as_of),
    declined = declined + (NEW.status = 'declined'),
    revoked = revoked + (NEW.status = 'revoked')
  WHERE account_id = NEW.account_id AND substr(NEW.email, -15) <> '@erased.invalid';
END

CREATE TRIGGER people_count_invitation_gone AFTER DELETE ON invitation
BEGIN
  UPDATE people_count SET
    pending = pending - (OLD.status = 'pending' AND OLD.expires_at > as_of AND OLD.delivery <> 'refused'),
    refused = refused - (OLD.status = 'pending' AND OLD.expires_at > as_of AND OLD.delivery = 'refused'),
    expired = expired - (OLD.status = 'pending' AND OLD.expires_at <= as_of),
    declined = declined - (OLD.status = 'declined'),
    revoked = revoked - (OLD.status = 'revoked')
  WHERE account_id = OLD.account_id AND substr(OLD.email, -15) <> '@erased.invalid';
END
