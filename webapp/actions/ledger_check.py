"""Proving that the money adds up, and the people: a few sums over all rows, each of which must
find nothing."""

from webapp.database import database, snapshot

# Only the first of many: a sentence names what to look at, it is no report.
SHOWN = 100

# Every balance, positive on its normal side, for the queries below.
BALANCES = """
WITH balance AS (
SELECT a.account_id, a.kind, a.currency,
       CASE a.normal WHEN 'debit' THEN 1 ELSE -1 END
       * (COALESCE(d.minor, 0) - COALESCE(c.minor, 0)) AS minor
  FROM ledger_account a
  LEFT JOIN (SELECT debit_id, SUM(amount_minor) AS minor FROM ledger_transfer GROUP BY debit_id) d
         ON d.debit_id = a.id
  LEFT JOIN (SELECT credit_id, SUM(amount_minor) AS minor FROM ledger_transfer GROUP BY credit_id) c
         ON c.credit_id = a.id)
"""

# what must not be → the rows that are so nevertheless, with the parts of the sentence
CHECKS = {
    "transfer {0} moves {1} into {2}": """
SELECT t.key, d.currency, c.currency FROM ledger_transfer t
  JOIN ledger_account d ON d.id = t.debit_id JOIN ledger_account c ON c.id = t.credit_id
 WHERE d.currency <> c.currency
""",
    "debits and credits in {0} differ by {1}": """
SELECT a.currency, SUM(CASE WHEN t.debit_id = a.id THEN t.amount_minor ELSE -t.amount_minor END)
  FROM ledger_transfer t JOIN ledger_account a ON a.id IN (t.debit_id, t.credit_id)
 GROUP BY a.currency
HAVING SUM(CASE WHEN t.debit_id = a.id THEN t.amount_minor ELSE -t.amount_minor END) <> 0
""",
    "account {0}: the balance {1} in {2} is {3}": """
SELECT account.public_id, b.kind, b.currency, b.minor
  FROM balance b JOIN account ON account.id = b.account_id WHERE b.minor < 0
""",
    "account {0} in {1}: {2} was captured, the ledger says {3}": """
SELECT account.public_id, x.currency, SUM(x.paid), SUM(x.ledger)
  FROM (SELECT account_id, currency, captured_minor AS paid, 0 AS ledger FROM payment
        UNION ALL
        SELECT a.account_id, a.currency, 0,
               CASE WHEN t.debit_id = a.id THEN t.amount_minor ELSE -t.amount_minor END
          FROM ledger_account a JOIN ledger_transfer t ON a.id IN (t.debit_id, t.credit_id)
         WHERE a.kind = 'captured' AND t.kind = 'captured') x
  JOIN account ON account.id = x.account_id
 GROUP BY account.public_id, x.currency
HAVING SUM(x.paid) <> SUM(x.ledger)
""",
    "payment {0}: {1} was given back of {2}, its parts add up to {3}": """
SELECT p.reference, p.returned_minor, p.captured_minor,
       COALESCE(s.minor, 0) + p.returned_elsewhere_minor
  FROM payment p
  LEFT JOIN (SELECT share.payment_id, SUM(share.gross_minor) AS minor
               FROM settlement_share share
               JOIN settlement ON settlement.id = share.settlement_id
               JOIN acceptance ON acceptance.id = settlement.acceptance_id
              WHERE acceptance.undone_at IS NULL GROUP BY share.payment_id) s
         ON s.payment_id = p.id
 WHERE p.returned_minor <> COALESCE(s.minor, 0) + p.returned_elsewhere_minor
    OR p.returned_minor > p.captured_minor
""",
    "push {0}: it is of {1}, and moved {2} of the credit": """
SELECT p.id, p.amount_minor, COALESCE(u.minor, 0)
  FROM credit_push p
  LEFT JOIN (SELECT push_id, SUM(amount_minor) AS minor FROM credit_use
              WHERE given_back_at IS NULL GROUP BY push_id) u ON u.push_id = p.id
 WHERE COALESCE(u.minor, 0) <> CASE p.state WHEN 'failed' THEN 0 ELSE p.amount_minor END
""",
    "account {0} in {1}: {2} was given back elsewhere, the ledger says {3}": """
SELECT account.public_id, x.currency, SUM(x.returned), SUM(x.ledger)
  FROM (SELECT account_id, currency, returned_elsewhere_minor AS returned, 0 AS ledger FROM payment
        UNION ALL
        SELECT a.account_id, a.currency, 0,
               CASE WHEN t.credit_id = a.id THEN t.amount_minor ELSE -t.amount_minor END
          FROM ledger_account a JOIN ledger_transfer t ON a.id IN (t.debit_id, t.credit_id)
         WHERE a.kind = 'captured' AND t.kind IN ('returned_before', 'returned_before_reversed')) x
  JOIN account ON account.id = x.account_id
 GROUP BY account.public_id, x.currency
HAVING SUM(x.returned) <> SUM(x.ledger)
""",
    "payment {0}: refunds of {1} exceed the {2} captured": """
SELECT p.reference, r.minor, p.captured_minor
  FROM payment p
  JOIN (SELECT payment_id, SUM(amount_minor) AS minor FROM refund
         WHERE state NOT IN ('failed', 'canceled') GROUP BY payment_id) r ON r.payment_id = p.id
 WHERE r.minor > p.captured_minor
""",
    "refund {0}: it is of {1}, its share of {2}": """
SELECT r.id, r.amount_minor, s.gross_minor
  FROM refund r JOIN settlement_share s ON s.id = r.share_id
 WHERE r.amount_minor <> s.gross_minor OR r.payment_id <> s.payment_id
""",
    "account {0}: refunds under way in {1} are {2}, the ledger says {3}": """
SELECT account.public_id, x.currency, SUM(x.refunds), SUM(x.ledger)
  FROM (SELECT settlement.account_id, r.currency, r.amount_minor AS refunds, 0 AS ledger
          FROM refund r JOIN settlement_share s ON s.id = r.share_id
          JOIN settlement ON settlement.id = s.settlement_id
         WHERE r.state IN ('requested', 'pending', 'requires_action')
        UNION ALL
        SELECT b.account_id, b.currency, 0, b.minor FROM balance b
         WHERE b.kind = 'refund_requested') x
  JOIN account ON account.id = x.account_id
 GROUP BY account.public_id, x.currency HAVING SUM(x.refunds) <> SUM(x.ledger)
""",
    "settlement {0}: it is of {1}, its shares add up to {2}": """
SELECT settlement.id, settlement.gross_minor, COALESCE(s.minor, 0)
  FROM settlement
  LEFT JOIN (SELECT settlement_id, SUM(gross_minor) AS minor FROM settlement_share
              GROUP BY settlement_id) s ON s.settlement_id = settlement.id
 WHERE settlement.gross_minor <> COALESCE(s.minor, 0)
""",
    "settlement {0}: it is of {1}, the ledger says {2}": """
SELECT settlement.id, settlement.gross_minor, COALESCE(t.amount_minor, 0)
  FROM settlement LEFT JOIN ledger_transfer t ON t.key = 'settlement:' || settlement.id || ':held'
 WHERE settlement.gross_minor <> COALESCE(t.amount_minor, 0)
""",
    "settlement {0}: it issued {1} statements of its amount instead of {2}": """
SELECT settlement.id, COUNT(st.id), CASE settlement.choice WHEN 'credit' THEN 2 ELSE 1 END
  FROM settlement
  LEFT JOIN statement st ON st.settlement_id = settlement.id AND st.corrects_id IS NULL
   AND st.gross_minor = settlement.gross_minor AND st.currency = settlement.currency
   AND (settlement.choice = 'credit' OR st.kind <> 'account_credit')
 GROUP BY settlement.id, settlement.choice
HAVING COUNT(st.id) <> CASE settlement.choice WHEN 'credit' THEN 2 ELSE 1 END
""",
    "statements {0} {1}: numbers {2} to {3}, the last taken {4}, but {5} documents": """
SELECT COALESCE(x.kind, s.kind), COALESCE(x.year, s.year), x.first, x.latest, s.last, x.number
  FROM statement_series s
  LEFT JOIN (SELECT seller, kind, year, MIN(sequence) AS first, MAX(sequence) AS latest,
                    COUNT(*) AS number FROM statement GROUP BY seller, kind, year) x
         ON x.seller = s.seller AND x.kind = s.kind AND x.year = s.year
 WHERE x.number IS NULL OR x.first <> 1 OR x.latest <> s.last OR x.number <> s.last
""",
    "settlement {0}: its credit of {1} was used for {2}": """
SELECT lot.settlement_id, lot.amount_minor, SUM(u.amount_minor)
  FROM credit_use u JOIN credit_lot lot ON lot.id = u.lot_id
 WHERE u.given_back_at IS NULL
 GROUP BY lot.id, lot.settlement_id, lot.amount_minor
HAVING SUM(u.amount_minor) > lot.amount_minor
""",
    "account {0} in {1}: credit of {2} became available, the ledger says {3}": """
SELECT account.public_id, x.currency, SUM(x.lots), SUM(x.ledger)
  FROM (SELECT organisation_id AS account_id, currency, amount_minor AS lots, 0 AS ledger
          FROM credit_lot
        UNION ALL
        SELECT b.account_id, b.currency, 0, b.minor FROM balance b
         WHERE b.kind IN ('credit_available', 'credit_used')) x
  JOIN account ON account.id = x.account_id
 GROUP BY account.public_id, x.currency HAVING SUM(x.lots) <> SUM(x.ledger)
""",
    "account {0} in {1}: credit of {2} was used, the ledger says {3}": """
SELECT account.public_id, x.currency, SUM(x.used), SUM(x.ledger)
  FROM (SELECT lot.organisation_id AS account_id, lot.currency, u.amount_minor AS used, 0 AS ledger
          FROM credit_use u JOIN credit_lot lot ON lot.id = u.lot_id
         WHERE u.given_back_at IS NULL
        UNION ALL
        SELECT b.account_id, b.currency, 0, b.minor FROM balance b
         WHERE b.kind = 'credit_used') x
  JOIN account ON account.id = x.account_id
 GROUP BY account.public_id, x.currency HAVING SUM(x.used) <> SUM(x.ledger)
""",
    "account {0}: {1} members ({2} licensed) are counted, {3} ({4}) are there": """
SELECT account.public_id, k.active, k.licensed, COALESCE(m.active, 0), COALESCE(m.licensed, 0)
  FROM people_count k JOIN account ON account.id = k.account_id
  LEFT JOIN (SELECT account_id, COUNT(*) AS active,
                    SUM(CASE licence WHEN 'licensed' THEN 1 ELSE 0 END) AS licensed
               FROM membership WHERE ended_at IS NULL GROUP BY account_id) m
         ON m.account_id = k.account_id
 WHERE k.active <> COALESCE(m.active, 0) OR k.licensed <> COALESCE(m.licensed, 0)
""",
    "account {0}: {1} invitations are counted as {2}, {3} are": """
SELECT account.public_id, x.kept, x.kind, x.there
  FROM (SELECT kept.account_id, kept.kind, kept.number AS kept, COUNT(i.id) AS there
          FROM (SELECT account_id, as_of, 'pending' AS kind, pending AS number FROM people_count
                UNION ALL SELECT account_id, as_of, 'refused', refused FROM people_count
                UNION ALL SELECT account_id, as_of, 'expired', expired FROM people_count
                UNION ALL SELECT account_id, as_of, 'declined', declined FROM people_count
                UNION ALL SELECT account_id, as_of, 'revoked', revoked FROM people_count) kept
          LEFT JOIN invitation i ON i.account_id = kept.account_id
           AND substr(i.email, length(i.email) - 14) <> '@erased.invalid'
           AND kept.kind = CASE WHEN i.status <> 'pending' THEN i.status
                                WHEN i.expires_at <= kept.as_of THEN 'expired'
                                WHEN i.delivery = 'refused' THEN 'refused' ELSE 'pending' END
         GROUP BY kept.account_id, kept.kind, kept.number) x
  JOIN account ON account.id = x.account_id
 WHERE x.kept <> x.there
""",
    "statement {0} belongs to no series of numbers": """
SELECT st.number FROM statement st
  LEFT JOIN statement_series s ON s.seller = st.seller AND s.kind = st.kind AND s.year = st.year
 WHERE s.last IS NULL
""",
}


def check() -> list[str]:
    """A sentence for each thing that does not hold; none when all does. Amounts are in minor
    units. Reads one snapshot, so that work going on beside it is no finding."""
    found = []
    with snapshot():
        for sentence, query in CHECKS.items():
            rows = database.execute_sql(f"{BALANCES}{query} LIMIT {SHOWN}").fetchall()
            found += [sentence.format(*row) for row in rows]
    return found
