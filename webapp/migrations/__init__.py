"""The schema's history, applied in order by playhouse.migrations. Tables, CHECKs, partial indexes
and triggers are written by hand; a test compares the result with the models."""

from pathlib import Path

from peewee import Database
from playhouse.migrations import Runner

from webapp.database import database


def runner() -> Runner:
    real: Database = database.obj
    return Runner(real, directory=str(Path(__file__).parent))


def apply() -> list[str]:
    """Applies what is pending; returns the names."""
    return list(runner().up())


def pending() -> list[str]:
    """The names of the migrations that were not applied yet."""
    return [m.name for m in runner().status() if m.applied is None]
