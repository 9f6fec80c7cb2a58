"""Documents are rendered in a process of their own where `apart` was called, as the worker does.

WeasyPrint keeps a little of every document, so that process is replaced after many; and whatever a
document does to it, within limits, reaches nobody else (threat T16): it has no secret in its
environment, and a memory, a time and files that end."""

import gc
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Lock
from typing import IO, Any

from invoices.invoice_copy import InvoiceCopy
from invoices.statement import Statement

ROOT = Path(__file__).parent.parent
# About 35 KB are lost with each.
RENDERS = 500
SECONDS = 30
# So many objects are made before those in circles are looked for: a document makes several times
# as many, and looking more often takes a tenth of its time.
GARBAGE = 20_000
MEGABYTE = 1024 * 1024
LIMITS = {
    resource.RLIMIT_AS: 1024 * MEGABYTE,
    resource.RLIMIT_FSIZE: 32 * MEGABYTE,
    resource.RLIMIT_NOFILE: 128,
    resource.RLIMIT_CORE: 0,
}


class Lost(Exception):
    """The process ended before the document was there; another try may have it."""


def render(document: Statement | InvoiceCopy) -> bytes:
    """Raises Lost, or ValueError for what cannot be printed."""
    if _printer is not None:
        return _printer.render(document)
    from invoices import pdf  # WeasyPrint takes long to load, and only the worker renders

    if isinstance(document, Statement):
        return pdf.render(document)
    return pdf.render_copy(document)


def apart() -> None:
    """From now on in a process of its own, which begins with the first document."""
    global _printer
    _printer = Printer()


class Printer:
    """One process at a time, for all threads. Fewer `renders` make it be replaced sooner."""

    def __init__(self, renders: int = RENDERS) -> None:
        self.renders = renders
        self.process: subprocess.Popen[bytes] | None = None
        # WeasyPrint's fonts, which a killed process would leave behind.
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._done = 0
        self._lock = Lock()

    def render(self, document: Statement | InvoiceCopy) -> bytes:
        asked = {"kind": type(document).__name__, "inputs": document.to_json()}
        with self._lock:
            process = self._ready()
            try:
                _write(process.stdin, json.dumps(asked).encode())
                fine, content = _read(process.stdout), _read(process.stdout)
            except (OSError, EOFError) as error:
                self.close()
                raise Lost("the process that renders ended") from error
            self._done += 1
        if not fine:
            raise ValueError(content.decode())
        return content

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
        if self._folder is not None:
            self._folder.cleanup()
        self.process = self._folder = None

    def _ready(self) -> "subprocess.Popen[bytes]":
        if self._done >= self.renders:
            self.close()
        if self.process is None:
            self._done = 0
            self._folder = tempfile.TemporaryDirectory(
                prefix="affluent-", ignore_cleanup_errors=True
            )
            self.process = subprocess.Popen(
                [sys.executable, "-m", "invoices.printing", self._folder.name],
                cwd=ROOT,
                env={"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(Path.home())},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        return self.process


_printer: Printer | None = None


def _write(pipe: IO[bytes] | None, content: bytes) -> None:
    assert pipe is not None  # Popen was given PIPE
    pipe.write(len(content).to_bytes(4) + content)
    pipe.flush()


def _read(pipe: IO[bytes] | None) -> bytes:
    assert pipe is not None  # Popen was given PIPE
    head = pipe.read(4)
    content = pipe.read(int.from_bytes(head))
    if len(head) < 4 or len(content) < int.from_bytes(head):
        raise EOFError
    return content


def _serve(folder: str) -> None:
    """In the process: documents until there are none, or nobody to ask for them; nothing stays in
    `folder` even where who asked was killed."""
    tempfile.tempdir = folder
    asked, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library says is no answer
    for limit, most in LIMITS.items():
        resource.setrlimit(limit, (most, most))
    from invoices import pdf  # noqa: F401  # what it consists of stays: it is nobody's garbage

    gc.freeze()
    gc.set_threshold(GARBAGE)
    while True:
        try:
            question = json.loads(_read(asked))
        except EOFError:
            shutil.rmtree(folder, ignore_errors=True)
            return
        # Beyond it the kernel ends this process.
        most = int(time.process_time()) + SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
        try:
            fine, content = b"1", _made(question["kind"], question["inputs"])
        except Exception as error:
            fine, content = b"", f"{type(error).__name__}: {error}".encode()
        _write(answers, fine)
        _write(answers, content)


def _made(kind: str, inputs: dict[str, Any]) -> bytes:
    if kind == "Statement":
        return render(Statement.from_json(inputs))
    return render(InvoiceCopy.from_json(inputs))


if __name__ == "__main__":
    _serve(sys.argv[1])
