"""French and English: which one a person reads, and how amounts, days, instants and people look in
it."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel.support import NullTranslations, Translations
from flask import (
    Flask,
    current_app,
    g,
    has_request_context,
    request,
    session,
)
from flask_babel import Babel, format_decimal, get_locale, get_translations
from flask_babel import gettext as _
from markupsafe import Markup, escape

from invoices import formats
from webapp.config import LOCALES
from webapp.models.user import is_erased
from webapp.policy import policy
from webapp.texts import unlinked

FOLDER = Path(__file__).parent / "translations"


def install(app: Flask) -> None:
    app.config["BABEL_DEFAULT_LOCALE"] = app.config["SETTINGS"].default_locale
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = "translations"
    Babel(app, locale_selector=chosen_locale)
    filters = {"money": money, "day": day, "month": month, "hour": hour, "moment": moment}
    app.jinja_env.filters.update(filters, change=change, plan=plan, place=place)
    app.jinja_env.filters.update(named=named, address=address, unbroken=unbroken)
    app.jinja_env.globals.update(locale=lambda: str(get_locale()))
    _translate_quickly(app)


def _translate_quickly(app: Flask) -> None:
    """Flask-Babel's own callables look for their catalogue, and its alias `_` for `gettext`, at
    every sentence; a list of fifty people has two hundred. Ours are looked for once a template;
    what is imported without its context still finds those that look each time."""
    catalogues = {language: _catalogue(language) for language in LOCALES}
    known = {language: _callables(app, one) for language, one in catalogues.items()}
    app.jinja_env.globals.update(_callables(app, _Current(catalogues)))
    app.context_processor(lambda: known[_language()])


def _catalogue(language: str) -> NullTranslations:
    return Translations.load(FOLDER, [language])


class _Current:
    """The catalogue of whoever reads just now."""

    def __init__(self, catalogues: dict[str, NullTranslations]) -> None:
        self._catalogues = catalogues

    def __getattr__(self, name: str) -> Any:
        return lambda *texts: getattr(self._catalogues[_language()], name)(*texts)


def _callables(app: Flask, catalogue: Any) -> dict[str, Any]:
    """As templates call them."""
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        catalogue.gettext,
        lambda *texts: _grouped(catalogue.ngettext(*texts), texts[2]),
        newstyle=True,
        pgettext=catalogue.pgettext,
        npgettext=catalogue.npgettext,
    )
    names = ("gettext", "ngettext", "pgettext", "npgettext")
    made = {name: app.jinja_env.globals[name] for name in names}
    return {**made, "_": made["gettext"]}


def _language() -> str:
    """What Flask-Babel keeps of the request, or is told to for a while."""
    locale = getattr(g.get("_flask_babel"), "babel_locale", None) or get_locale()
    return str(locale.language)


def ngettext(singular: str, plural: str, num: int, **facts: Any) -> str:
    """What is said of so many: `%(num)d` is written as the reader's language groups digits."""
    return _grouped(get_translations().ungettext(singular, plural, num), num) % facts


def _grouped(words: str, num: int) -> str:
    return words.replace("%(num)d", format_decimal(num) if num >= 1000 else str(num))


def chosen_locale() -> str:
    """The person's own choice, else this browser's, else the operator's default."""
    from webapp.security import current_viewer

    if not has_request_context():
        return str(current_app.config["SETTINGS"].default_locale)
    viewer = current_viewer()
    if viewer is not None:
        return str(viewer.user.locale)
    if session.get("locale") in LOCALES:
        return str(session["locale"])
    # The best first; whoever reads the French of Canada reads French.
    for tag, quality in request.accept_languages:
        language = tag.partition("-")[0].lower()
        if quality > 0 and language in LOCALES:
            return language
    return str(current_app.config["SETTINGS"].default_locale)


def money(minor: int, currency: str) -> str:
    """`4997, "EUR"` → « 49,97 € » or “€49.97”; what is less than nothing has a real minus."""
    return formats.amount(minor, currency, _locale()).replace("-", "−")


def change(minor: int, currency: str) -> str:
    """An amount that came (+) or went (−), or a dash for none."""
    if not minor:
        return "–"
    return ("+" if minor > 0 else "") + money(minor, currency)


def day(value: date | datetime | None, zone: str = "") -> str:
    """A calendar day in words: « 23 nov. 2026 »; an instant is first brought into `zone`."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(ZoneInfo(zone or _zone())).date()
    return formats.day(value, _locale())


def month(value: date) -> str:
    """The month of a day in words: « novembre 2026 »."""
    return formats.month(value, _locale())


def short_month(value: date) -> str:
    """The same where there is little room: « nov. »."""
    return formats.short_month(value, _locale())


def axis_money(minor: int, step: int, currency: str) -> str:
    """An amount on an axis: without decimals where its steps are whole units."""
    return formats.axis_amount(minor, step, currency, _locale())


def moment(value: datetime | None, zone: str = "") -> str:
    """A day and an hour, in the operator's zone unless `zone` is given."""
    return "" if value is None else formats.moment(value, zone or _zone(), _locale())


def hour(value: datetime | None) -> str:
    """The same, where the zone is said once for a whole list."""
    return "" if value is None else formats.hour(value, _zone(), _locale())


def plan(subscription: Any) -> str:
    """A plan's name in words: those that billing systems call by the month or year are said in
    the reader's language, any other as it was imported."""
    words = {"monthly": _("monthly"), "yearly": _("yearly"), "annual": _("yearly")}
    return words.get(subscription.plan.lower()) or str(subscription.plan)


def place(account: Any) -> str:
    """Where an account is at home, in one line: « 8 quai de la Fosse, 44000 Nantes, France »; ""
    where nobody wrote that down. It leads nowhere, as little as a name does."""
    lines = [unlinked(line) for line in account.address.splitlines()]
    if account.country:
        lines.append(str(get_locale().territories.get(account.country, account.country)))
    return ", ".join(filter(None, lines)) if account.address else ""


def named(name: str, begins: bool = False) -> str:
    """A person as others read of them: words in the place of a name that was erased; `begins`
    where a line begins with it."""
    words = naming()(name)
    return words[:1].upper() + words[1:] if begins and is_erased(name) else words


def naming() -> Callable[[str], str]:
    """The same for a file that leaves after its request: its words are asked for now."""
    words = str(_("a person whose data was erased"))
    return lambda name: words if is_erased(name) else name


def address(text: str) -> Markup:
    """Too long for its line, an address breaks before the @ or a dot, and copied it is what it
    was. What is none stays as it is."""
    if "@" not in text:
        return escape(text)
    return escape(text).replace("@", Markup("<wbr>@")).replace(".", Markup("<wbr>."))


def unbroken(text: str) -> Markup:
    """A number that keeps to one line, hyphens or not."""
    return Markup('<span class="nowrap">{}</span>').format(text)


def _locale() -> Literal["fr", "en"]:
    return "fr" if _language() == "fr" else "en"


def _zone() -> str:
    return policy().billing_zone
