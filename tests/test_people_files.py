"""Files of people as spreadsheets and other services write them."""

import pytest

from webapp.imports import people_columns, sheets
from webapp.imports.people_columns import is_heading, person, recognised
from webapp.imports.sheets import Unreadable

GOOGLE_UPLOAD = (
    "First Name [Required],Last Name [Required],Email Address [Required],Password [Required],"
    "Password Hash Function [UPLOAD ONLY],Org Unit Path [Required],New Primary Email [UPLOAD ONLY],"
    "Recovery Email,Home Secondary Email,Work Secondary Email,"
    "Recovery Phone [MUST BE IN THE E.164 FORMAT],Work Phone,Home Phone,Mobile Phone,Work Address,"
    "Home Address,Employee ID,Employee Type,Employee Title,Manager Email,Department,Cost Center,"
    "Building ID,Floor Name,Floor Section,Change Password at Next Sign-In,New Status [UPLOAD ONLY],"
    "New Licenses [UPLOAD ONLY],Advanced Protection Program enrollment"
)
GOOGLE_EXPORT = (
    "First Name [Required],Last Name [Required],Email Address [Required],Password [Required],"
    "Password Hash Function [UPLOAD ONLY],Org Unit Path [Required],New Primary Email [UPLOAD ONLY],"
    "Status [READ ONLY],Last Sign In [READ ONLY],Recovery Email,Home Secondary Email,"
    "Work Secondary Email,Recovery Phone [MUST BE IN THE E.164 FORMAT],Work Phone,Home Phone,"
    "Mobile Phone,Work Address,Home Address,Employee ID,Employee Type,Employee Title,Manager Email,"
    "Department,Cost Center,2sv Enrolled [READ ONLY],2sv Enforced [READ ONLY],Building ID,"
    "Floor Name,Floor Section,Email Usage [READ ONLY],Drive Usage [READ ONLY],"
    "Total Storage [READ ONLY],Change Password at Next Sign-In,New Status [UPLOAD ONLY]"
)
GOOGLE_SHORT = (
    "First Name [Required],Last Name [Required],Email Address [Required],Status [READ ONLY],"
    "Last Sign In [READ ONLY],Email Usage [READ ONLY]"
)
# The columns of Zoom's sample for a batch import, now and some years ago.
ZOOM = "Email,First Name,Last Name,Department,Manager,User Group,Job Title,Location"
ZOOM_REQUIRED = "Email (required),First Name (required),Last Name (required),Department,IM Group"
ZOOM_OLD = "email,first_name,last_name,department,user group"
OURS_FRENCH = "Courriel;Prénom;Nom de famille;Département;Fonction;Lieu;Licence;Rôle;Langue"
OURS = "Email,Name,First name,Last name,Department,Job title,Location,Licence,Role,Language"


def named(heading: str) -> dict[str, str]:
    cells = heading.split(";" if ";" in heading else ",")
    return {field: cells[at] for field, at in recognised(cells).items()}


@pytest.mark.parametrize("heading", [GOOGLE_UPLOAD, GOOGLE_EXPORT, GOOGLE_SHORT])
def test_the_headings_of_google_workspace_are_recognised(heading: str) -> None:
    found = named(heading)
    assert found["email"] == "Email Address [Required]"
    assert found["first_name"] == "First Name [Required]"
    assert found["last_name"] == "Last Name [Required]"
    if "Department" in heading:
        assert (found["department"], found["job_title"]) == ("Department", "Employee Title")


@pytest.mark.parametrize("heading", [ZOOM, ZOOM_REQUIRED, ZOOM_OLD])
def test_the_headings_of_zoom_are_recognised(heading: str) -> None:
    found = {field: name.lower() for field, name in named(heading).items()}
    assert found["email"].startswith("email")
    assert found["first_name"].replace("_", " ").startswith("first name")
    assert found["last_name"].replace("_", " ").startswith("last name")
    assert found["department"] == "department"


def test_our_own_headings_are_recognised_in_both_languages() -> None:
    assert set(named(OURS)) == set(people_columns.FIELDS)
    assert set(named(OURS_FRENCH)) == set(people_columns.FIELDS) - {"name"}


def test_a_single_nom_is_the_whole_name() -> None:
    assert named("Nom;Courriel") == {"name": "Nom", "email": "Courriel"}
    assert named("Nom;Prénom;Courriel")["last_name"] == "Nom"


def test_unknown_headings_are_not_guessed() -> None:
    assert "email" not in recognised(["Kontakt", "Bezeichnung"])


def test_a_first_row_with_an_address_is_a_person() -> None:
    assert not is_heading(["anna@example.org", "Anna"])
    assert is_heading(["Kontakt", "Bezeichnung"])


def test_a_person_is_what_the_columns_say() -> None:
    columns = {"email": 0, "first_name": 1, "last_name": 2, "licence": 3, "role": 4, "locale": 5}
    row = ["a@b.example", "Léa ", "\x07Roy", "Avec licence", "Administratrice", "fr-CA"]
    found = person(row, columns)
    assert found["name"] == "Léa Roy"
    assert (found["licence"], found["role"], found["locale"]) == ("licensed", "admin", "fr")
    short = person(["a@b.example"], columns)
    assert (short["name"], short["licence"], short["department"]) == ("", "", "")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encoding_and_separator_are_guessed(encoding: str, separator: str) -> None:
    rows = [
        ["Courriel", "Nom"],
        ["helene@example.org", "Hélène « Œ » Lefèvre"],
        ["b@c.example", ""],
    ]
    text = "".join(separator.join(row) + "\r\n" for row in rows)
    sheet = sheets.read(text.encode(encoding))
    assert [cells for _, cells in sheet.rows()] == rows


def test_rows_keep_the_numbers_that_a_spreadsheet_gives_them() -> None:
    sheet = sheets.read(b'Email,Name\n\n,\n"a@b.example","two\nlines"\nc@d.example,x\n')
    assert [number for number, _ in sheet.rows()] == [1, 4, 5]


def test_a_comma_inside_quotes_separates_nothing() -> None:
    sheet = sheets.read(b'Email;Name\na@b.example;"Roy, Lea, M"\nc@d.example;"Doe, J, K"\n')
    assert sheet.separator == ";"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"PK\x03\x04rest", "workbook"),
        (b"\xd0\xcf\x11\xe0rest", "workbook"),
        (b"\x89PNG\r\n\x1a\n\x00\x01", "binary"),
    ],
)
def test_what_is_no_text_is_refused_with_its_reason(content: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as caught:
        sheets.read(content)
    assert caught.value.code == code


def test_a_quote_that_is_never_closed_is_refused() -> None:
    content = b'Email,Name\na@b.example,"open\n' + b"x@y.example,z\n" * 2000
    with pytest.raises(Unreadable):
        list(sheets.read(content).rows())
