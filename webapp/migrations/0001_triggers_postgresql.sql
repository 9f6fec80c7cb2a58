CREATE FUNCTION ledger_balance(of ledger_account) RETURNS NUMERIC LANGUAGE plpgsql AS $$
DECLARE
  credited NUMERIC;
BEGIN
  credited := (SELECT COALESCE(SUM(amount_minor), 0) FROM ledger_transfer WHERE credit_id = of.id)
            - (SELECT COALESCE(SUM(amount_minor), 0) FROM ledger_transfer WHERE debit_id = of.id);
  RETURN CASE of.normal WHEN 'credit' THEN credited ELSE -credited END;
END $$

CREATE FUNCTION ledger_transfer_checked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  one ledger_account;
  debit ledger_account;
  credit ledger_account;
BEGIN
  -- Locked in the order of their ids, so that two transfers cannot wait for each other.
  FOR one IN
    SELECT * FROM ledger_account WHERE id IN (NEW.debit_id, NEW.credit_id) ORDER BY id FOR NO KEY UPDATE
  LOOP
    IF one.id = NEW.debit_id THEN debit := one; ELSE credit := one; END IF;
  END LOOP;
  IF debit.currency IS DISTINCT FROM credit.currency THEN
    RAISE EXCEPTION 'ledger: a transfer across currencies' USING ERRCODE = 'check_violation';
  END IF;
  -- A side that may grow is asked nothing.
  IF debit.normal = 'credit' AND NEW.amount_minor > ledger_balance(debit)
  OR credit.normal = 'debit' AND NEW.amount_minor > ledger_balance(credit)
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


CREATE FUNCTION people_count_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO people_count
    (account_id, active, licensed, pending, refused, expired, declined, revoked, as_of)
  VALUES (NEW.id, 0, 0, 0, 0, 0, 0, 0, NEW.created_at);
  RETURN NULL;
END $$

CREATE TRIGGER people_count_begins AFTER INSERT ON account
FOR EACH ROW WHEN (NEW.kind = 'organisation') EXECUTE FUNCTION people_count_begins()

CREATE FUNCTION people_count_members_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE people_count c SET active = c.active + a.active, licensed = c.licensed + a.licensed
    FROM (SELECT account_id, COUNT(*) AS active,
                 COUNT(*) FILTER (WHERE licence = 'licensed') AS licensed
            FROM added WHERE ended_at IS NULL GROUP BY account_id) a
   WHERE c.account_id = a.account_id;
  RETURN NULL;
END $$

CREATE TRIGGER people_count_members_added AFTER INSERT ON membership
REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION people_count_members_added()

CREATE FUNCTION people_count_member_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Who has left is counted nowhere.
  IF OLD.ended_at IS NULL THEN
    UPDATE people_count SET
      active = active - 1, licensed = licensed - (OLD.licence = 'licensed')::integer
    WHERE account_id = OLD.account_id;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF NEW.ended_at IS NULL THEN
      UPDATE people_count SET
        active = active + 1, licensed = licensed + (NEW.licence = 'licensed')::integer
      WHERE account_id = NEW.account_id;
    END IF;
  END IF;
  RETURN NULL;
END $$

CREATE TRIGGER people_count_member_changed
AFTER UPDATE OF account_id, licence, ended_at ON membership
FOR EACH ROW EXECUTE FUNCTION people_count_member_changed()

CREATE TRIGGER people_count_member_gone AFTER DELETE ON membership
FOR EACH ROW EXECUTE FUNCTION people_count_member_changed()

CREATE FUNCTION people_count_invitation(i invitation, change integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE people_count SET
    pending = pending + change
      * (i.status = 'pending' AND i.expires_at > as_of AND i.delivery <> 'refused')::integer,
    refused = refused + change
      * (i.status = 'pending' AND i.expires_at > as_of AND i.delivery = 'refused')::integer,
    expired = expired + change * (i.status = 'pending' AND i.expires_at <= as_of)::integer,
    declined = declined + change * (i.status = 'declined')::integer,
    revoked = revoked + change * (i.status = 'revoked')::integer
  WHERE account_id = i.account_id AND right(i.email, 15) <> '@erased.invalid';
END $$

CREATE FUNCTION people_count_invitations_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- What as_of is must be known before it is counted by: nobody moves it on meanwhile.
  PERFORM FROM people_count
    WHERE account_id IN (SELECT account_id FROM added) ORDER BY account_id FOR NO KEY UPDATE;
  UPDATE people_count c SET
    pending = c.pending + a.pending, refused = c.refused + a.refused,
    expired = c.expired + a.expired, declined = c.declined + a.declined,
    revoked = c.revoked + a.revoked
    FROM (SELECT i.account_id,
                 COUNT(*) FILTER (WHERE status = 'pending' AND expires_at > as_of
                                    AND delivery <> 'refused') AS pending,
                 COUNT(*) FILTER (WHERE status = 'pending' AND expires_at > as_of
                                    AND delivery = 'refused') AS refused,
                 COUNT(*) FILTER (WHERE status = 'pending' AND expires_at <= as_of) AS expired,
                 COUNT(*) FILTER (WHERE status = 'declined') AS declined,
                 COUNT(*) FILTER (WHERE status = 'revoked') AS revoked
            FROM added i JOIN people_count k ON k.account_id = i.account_id
           WHERE right(i.email, 15) <> '@erased.invalid' GROUP BY i.account_id) a
   WHERE c.account_id = a.account_id;
  RETURN NULL;
END $$

CREATE TRIGGER people_count_invitations_added AFTER INSERT ON invitation
REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION people_count_invitations_added()

CREATE FUNCTION people_count_invitation_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM people_count_invitation(OLD, -1);
  IF TG_OP = 'UPDATE' THEN
    -- One that led somewhere is counted nowhere, as the membership is.
    IF NEW.status NOT IN ('accepted', 'superseded') THEN PERFORM people_count_invitation(NEW, 1); END IF;
  END IF;
  RETURN NULL;
END $$

CREATE TRIGGER people_count_invitation_changed
AFTER UPDATE OF account_id, email, status, delivery, expires_at ON invitation
FOR EACH ROW
WHEN ((OLD.account_id, OLD.email, OLD.status, OLD.delivery = 'refused', OLD.expires_at)
  IS DISTINCT FROM (NEW.account_id, NEW.email, NEW.status, NEW.delivery = 'refused', NEW.expires_at))
EXECUTE FUNCTION people_count_invitation_changed()

CREATE TRIGGER people_count_invitation_gone AFTER DELETE ON invitation
FOR EACH ROW EXECUTE FUNCTION people_count_invitation_changed()
