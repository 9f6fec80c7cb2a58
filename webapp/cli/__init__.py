"""The command line: `flask --app wsgi …`. Exit 0 done, 1 refused (the reason on standard error),
2 wrong use."""

from flask import Flask

from webapp.cli import accounts, bounce, effects, imports, ledger, money, schema, simulated, stripe


def install(app: Flask) -> None:
    for module in (schema, accounts, imports, money, ledger, effects, bounce, stripe, simulated):
        for command in module.COMMANDS:
            app.cli.add_command(command)
