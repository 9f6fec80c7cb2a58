"""A tagged PDF read back: its structure as a tree, its content with the marks around it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pypdf import PdfReader
from pypdf.generic import ContentStream, DictionaryObject

PAINTING = {
    *(b"Tj", b"TJ", b"'", b'"', b"Do", b"sh", b"EI"),
    *(b"S", b"s", b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*"),
}


@dataclass
class Element:
    """A structure element: its type, its own entries, the marked content and elements below."""

    type: str
    entries: DictionaryObject
    marks: list[int] = field(default_factory=list)
    children: list["Element"] = field(default_factory=list)

    def all(self, *types: str) -> Iterator["Element"]:
        """This and everything below, in reading order, of these types or of any."""
        if not types or self.type in types:
            yield self
        for child in self.children:
            yield from child.all(*types)

    @property
    def attributes(self) -> dict[str, Any]:
        return dict(self.entries.get("/A", {}))


def structure(document: PdfReader) -> Element:
    """The document element; AssertionError when the tree has not exactly one."""
    roots = document.trailer["/Root"]["/StructTreeRoot"]["/K"]  # type: ignore[index]
    assert len(roots) == 1
    return _element(roots[0].get_object())


def marked(document: PdfReader) -> Iterator[tuple[int, list[str], int | None, bytes]]:
    """Every painting of every page: page, the marks around it, their content id, the operator."""
    for number, page in enumerate(document.pages):
        around: list[tuple[str, int | None]] = []
        for operands, operator in ContentStream(page.get_contents(), document).operations:
            if operator == b"BMC":
                around.append((str(operands[0]), None))
            elif operator == b"BDC":
                properties = operands[1]
                around.append((str(operands[0]), properties.get("/MCID")))
            elif operator == b"EMC":
                around.pop()
            elif operator in PAINTING:
                ids = [mcid for _, mcid in around if mcid is not None]
                yield number, [tag for tag, _ in around], ids[-1] if ids else None, operator
        assert around == []


def _element(entries: DictionaryObject) -> Element:
    found = Element(str(entries["/S"]).removeprefix("/"), entries)
    kids = entries.get("/K", [])
    for kid in kids if isinstance(kids, list) else [kids]:
        below = kid.get_object()
        if isinstance(below, int):
            found.marks.append(int(below))
        else:
            found.children.append(_element(below))
            assert below["/P"].get_object() == entries
    return found
