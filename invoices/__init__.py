"""The money core: amounts, proration, settlements, ledger transfers and statements as values."""
