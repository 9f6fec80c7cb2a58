"""Which column of a table of people holds what: our own headings in French and English, and those
that Zoom and Google Workspace write."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from webapp.addresses import is_address
from webapp.texts import cleaned, folded

# What can be read of a person, in the order that the template has.
FIELDS = (
    *("email", "name", "first_name", "last_name", "department", "job_title", "location"),
    *("licence", "role", "locale"),
)
# Folded, without what stands in brackets: Google writes “Email Address [Required]”.
HEADINGS: dict[str, tuple[str, ...]] = {
    "email": (
        *("email", "e mail", "email address", "e mail address", "mail", "work email"),
        *("user email", "user name", "username", "user principal name", "login"),
        *("courriel", "adresse courriel", "adresse de courriel", "adresse email", "adresse e mail"),
        *("adresse electronique", "adresse mail"),
    ),
    "name": (
        *("name", "full name", "display name", "user display name"),
        *("nom complet", "nom et prenom", "prenom et nom", "nom d affichage"),
    ),
    "first_name": ("first name", "firstname", "given name", "prenom"),
    "last_name": ("last name", "lastname", "surname", "family name", "nom de famille", "nom"),
    "department": ("department", "dept", "departement", "service"),
    "job_title": (
        *("job title", "title", "employee title", "position"),
        *("fonction", "poste", "intitule du poste", "titre"),
    ),
    "location": ("location", "office location", "building id", "site", "lieu", "ville", "city"),
    "licence": (
        *("licence", "license", "licence type", "license type", "user type", "plan type"),
        *("type de licence", "type d utilisateur"),
    ),
    "role": ("role", "user role"),
    "locale": ("language", "locale", "langue"),
}
VALUES: dict[str, dict[str, str]] = {
    "licence": {
        **dict.fromkeys(
            ("licensed", "license", "licence", "avec licence", "sous licence"), "licensed"
        ),
        **dict.fromkeys(("basic", "de base", "base", "basique", "free"), "basic"),
    },
    "role": {
        **dict.fromkeys(("member", "membre", "user", "utilisateur"), "member"),
        **dict.fromkeys(("finance", "finances", "comptabilite", "billing"), "finance"),
        **dict.fromkeys(("admin", "administrator", "administrateur", "administratrice"), "admin"),
    },
    "locale": {
        **dict.fromkeys(("fr", "french", "francais"), "fr"),
        **dict.fromkeys(("en", "english", "anglais"), "en"),
    },
}
MOST = {"email": 254}

_BRACKETS = re.compile(r"\[[^\[\]]*\]|\([^()]*\)")
_JOINTS = re.compile(r"[\W_]+")


def recognised(headings: Sequence[str]) -> dict[str, int]:
    """field → column, counted from 0; the first of two that are called alike."""
    plain = [_plain(heading) for heading in headings]
    found: dict[str, int] = {}
    for field, names in HEADINGS.items():
        column = next((at for name in names for at, one in enumerate(plain) if one == name), None)
        if column is not None:
            found[field] = column
    # « Nom » beside « Prénom » is the family name; alone it is the whole.
    if "last_name" in found and "first_name" not in found and "name" not in found:
        found["name"] = found.pop("last_name")
    return found


def is_heading(cells: Sequence[str]) -> bool:
    """A first row that has an address in it is a person's, not the headings."""
    return not any(is_address(cell) for cell in cells)


def person(cells: Sequence[str], columns: Mapping[str, int]) -> dict[str, str]:
    """What a row says of a person, cleaned; empty where it says nothing that we know. Of the
    address nothing is checked yet."""
    found = {
        field: cleaned(cells[column], MOST.get(field, 100)) if column < len(cells) else ""
        for field, column in columns.items()
    }
    names = (found.pop("first_name", ""), found.pop("last_name", ""))
    found["name"] = found.get("name") or cleaned(" ".join(filter(None, names)), 100)
    for field, words in VALUES.items():
        plain = _plain(found.get(field, ""))
        # A language may come with its country: fr-CA.
        found[field] = words.get(plain) or words.get(plain[:2] if field == "locale" else "", "")
    return {
        field: found.get(field, "") for field in FIELDS if field not in ("first_name", "last_name")
    }


# A column of a long file has the same few words again and again.
@lru_cache(1024)
def _plain(heading: str) -> str:
    return _JOINTS.sub(" ", folded(_BRACKETS.sub(" ", heading))).strip()
