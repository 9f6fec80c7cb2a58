CREATE EXTENSION IF NOT EXISTS pg_trgm

CREATE EXTENSION IF NOT EXISTS btree_gin

CREATE INDEX membership_search ON membership
USING gin (account_id, (' ' || folded) gin_trgm_ops) WITH (gin_pending_list_limit = 256)
WHERE ended_at IS NULL

CREATE INDEX invitation_search ON invitation
USING gin (account_id, (' ' || folded) gin_trgm_ops) WITH (gin_pending_list_limit = 256)
WHERE status <> 'accepted'
