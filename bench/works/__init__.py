"""What is measured, a file a work. A new one is a function of a Setting that yields Results, and
a line in ALL."""

from collections.abc import Callable, Iterator

from bench.results import Result
from bench.works import (
    acceptances,
    badge,
    documents,
    joining,
    listing,
    mails,
    mixed,
    peers,
    processes,
    search,
    upload,
    windows,
)
from bench.works.setting import Setting

ALL: dict[str, Callable[[Setting], Iterator[Result]]] = {
    "list": listing.measure,
    "search": search.measure,
    "badge": badge.measure,
    "peers": peers.measure,
    "windows": windows.measure,
    "processes": processes.measure,
    "mails": mails.measure,
    "upload": upload.measure,
    "documents": documents.measure,
    "joining": joining.measure,
    "acceptances": acceptances.measure,
    "mixed": mixed.measure,
}

__all__ = ["ALL", "Setting"]
