"""The least that Flask does for an answer, and the least for one that asks PostgreSQL anything."""

import os
import threading

import psycopg
from flask import Flask

app, asking = Flask("hello"), Flask("asking")
_kept = threading.local()


@app.get("/")
def hello() -> str:
    return "hello"


@asking.get("/")
def hello_asked() -> str:
    if not hasattr(_kept, "connection"):
        _kept.connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    _kept.connection.execute("SELECT 1").fetchone()
    return "hello"
