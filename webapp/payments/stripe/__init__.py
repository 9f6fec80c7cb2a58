"""Stripe: the gateway that holds the money, and the source of accounts. Needs Stripe's library."""
