CREATE EXTENSION IF NOT EXISTS pg_trgm

CREATE FUNCTION search_keys(account BIGINT, folded TEXT) RETURNS BIGINT[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  -- A function in SQL would be planned anew for each statement that writes to an index. This one is
  -- looked up by its words, and whoever restores a copy has no search_path.
  RETURN (SELECT array_agg(hashtextextended(trigram, account & 255)) FROM unnest(show_trgm(folded)) AS trigram);
END $$

CREATE INDEX membership_search ON membership
USING gin (search_keys(account_id, folded)) WITH (gin_pending_list_limit = 256)
WHERE ended_at IS NULL

CREATE INDEX invitation_search ON invitation
USING gin (search_keys(account_id, folded)) WITH (gin_pending_list_limit = 256)
WHERE status <> 'accepted'
