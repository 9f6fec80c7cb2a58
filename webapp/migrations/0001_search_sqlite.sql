CREATE VIRTUAL TABLE membership_search
USING fts5(folded, content='', tokenize='trigram')

CREATE VIRTUAL TABLE invitation_search
USING fts5(folded, content='', tokenize='trigram')

CREATE TRIGGER membership_search_added AFTER INSERT ON membership
BEGIN
  INSERT INTO membership_search (rowid, folded)
  SELECT NEW.account_id << 32 | NEW.id, replace(' ' || NEW.folded, ' ', '  ') WHERE (NEW.ended_at IS NULL);
END

CREATE TRIGGER membership_search_changed AFTER UPDATE OF id, account_id, folded, ended_at ON membership
WHEN (OLD.id, OLD.account_id, OLD.folded, (OLD.ended_at IS NULL))
  IS NOT (NEW.id, NEW.account_id, NEW.folded, (NEW.ended_at IS NULL))
BEGIN
  INSERT INTO membership_search (membership_search, rowid, folded)
  SELECT 'delete', OLD.account_id << 32 | OLD.id, replace(' ' || OLD.folded, ' ', '  ') WHERE (OLD.ended_at IS NULL);
  INSERT INTO membership_search (rowid, folded)
  SELECT NEW.account_id << 32 | NEW.id, replace(' ' || NEW.folded, ' ', '  ') WHERE (NEW.ended_at IS NULL);
END

CREATE TRIGGER membership_search_gone AFTER DELETE ON membership
BEGIN
  INSERT INTO membership_search (membership_search, rowid, folded)
  SELECT 'delete', OLD.account_id << 32 | OLD.id, replace(' ' || OLD.folded, ' ', '  ') WHERE (OLD.ended_at IS NULL);
END

CREATE TRIGGER invitation_search_added AFTER INSERT ON invitation
BEGIN
  INSERT INTO invitation_search (rowid, folded)
  SELECT NEW.account_id << 32 | NEW.id, replace(' ' || NEW.folded, ' ', '  ') WHERE (NEW.status <> 'accepted');
END

CREATE TRIGGER invitation_search_changed AFTER UPDATE OF id, account_id, folded, status ON invitation
WHEN (OLD.id, OLD.account_id, OLD.folded, (OLD.status <> 'accepted'))
  IS NOT (NEW.id, NEW.account_id, NEW.folded, (NEW.status <> 'accepted'))
BEGIN
  INSERT INTO invitation_search (invitation_search, rowid, folded)
  SELECT 'delete', OLD.account_id << 32 | OLD.id, replace(' ' || OLD.folded, ' ', '  ') WHERE (OLD.status <> 'accepted');
  INSERT INTO invitation_search (rowid, folded)
  SELECT NEW.account_id << 32 | NEW.id, replace(' ' || NEW.folded, ' ', '  ') WHERE (NEW.status <> 'accepted');
END

CREATE TRIGGER invitation_search_gone AFTER DELETE ON invitation
BEGIN
  INSERT INTO invitation_search (invitation_search, rowid, folded)
  SELECT 'delete', OLD.account_id << 32 | OLD.id, replace(' ' || OLD.folded, ' ', '  ') WHERE (OLD.status <> 'accepted');
END
