"""The three people of the story as an import file names them, relative to the day it is told."""

from datetime import date, timedelta
from pathlib import Path

from webapp import passwords

FREE, YEARLY, MONTHLY = "farid@example.org", "yasmine@example.org", "mona@example.org"
OWNER, FINANCE = "claire@dumas.example", "finance@seller.example"
PASSWORD = "as it always was 42"
HEADING = (
    "email,name,password_hash,locale,plan,currency,billing_zone,address,country,"
    "period_start,period_end,paid,tax,tax_rate,method,payment_reference,paid_at,"
    "invoice_number,invoice_date"
)


def write_import(path: Path, today: date) -> Path:
    """Farid is free, Yasmine paid 365.00 for 365 days of which 100 are unused today, Mona 187.39
    for 30 of which 8 are. Farid and Yasmine bring their password along, Mona has none."""
    hashed = '"' + passwords.hashed(PASSWORD) + '"'
    year = (today - timedelta(days=265), today + timedelta(days=100))
    month = (today - timedelta(days=22), today + timedelta(days=8))
    rows = [
        HEADING,
        f"{FREE},Farid Amar,{hashed},fr,,EUR,,,FR,,,,,,,,,,",
        f"{YEARLY},Yasmine Duval,{hashed},fr,pro-yearly,EUR,Europe/Paris,4 rue Verte 69002 Lyon,FR,"
        f"{year[0]},{year[1]},365.00,60.83,20,Visa •••• 4242,ch_year,{year[0]}T08:00:00Z,"
        f"F-1001,{year[0]}",
        f"{MONTHLY},Mona Petit,,fr,pro-monthly,EUR,Europe/Paris,9 quai Bleu 33000 Bordeaux,FR,"
        f"{month[0]},{month[1]},187.39,31.23,20,SEPA •••• 3000,ch_month,{month[0]}T08:00:00Z,"
        f"F-1002,{month[0]}",
    ]
    path.write_text("\n".join(rows) + "\n")
    return path
