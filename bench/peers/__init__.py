"""The list of users as others would write it: with their own queries, models, sessions, templates
and translations, on the same database, in the same words and nearly the same markup."""
