"""The command line: `flask --app wsgi …`. Exit 0 done, 1 refused (the reason on standard error),
2 wrong use."""

from typing import Any

from flask import Flask

from webapp.cli import (
    accounts,
    backups,
    bounce,
    effects,
    imports,
    ledger,
    money,
    schema,
    simulated,
    stripe,
)

MODULES: tuple[Any, ...] = (schema, backups, accounts, imports, money, ledger)
MODULES += (effects, bounce, stripe, simulated)


def install(app: Flask) -> None:
    for module in MODULES:
        for command in module.COMMANDS:
            app.cli.add_command(command)
