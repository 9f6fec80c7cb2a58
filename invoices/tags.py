"""What a tagged document says of its tables beyond what WeasyPrint writes (rule D5)."""

from typing import Any


def describe_headers(document: Any, pdf: Any) -> None:
    """Gives each header cell its scope, and the document the index of their ids: the cells name
    their headers by id, and a reader that knows only one of the two ways finds its own.

    A finisher of WeasyPrint: `pdf` is about to be written.
    """
    objects: list[Any] = pdf.objects
    elements = {one.reference: one for one in objects if hasattr(one, "keys")}
    ids = []
    for reference, element in elements.items():
        if element.get("S") != "/TH":
            continue
        section = elements[elements[element["P"]]["P"]]
        element["A"]["Scope"] = "/Column" if section["S"] == "/THead" else "/Row"
        ids.append((element["ID"], reference))
    root = elements[pdf.catalog["StructTreeRoot"]]
    # A name tree is sorted by the bytes of its names.
    ids.sort(key=lambda one: bytes(one[0].data))
    names = type(root["K"])(part for one in ids for part in one)
    root["IDTree"] = type(root)({"Names": names})
