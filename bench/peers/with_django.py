"""With Django's ORM, templates, CSRF, middleware and translations."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
from django.conf import settings as configured
from django.core.wsgi import get_wsgi_application
from django.db import models
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy

from bench.peers import settings

HERE = Path(__file__).parent
LOCALES = HERE.parents[1] / "instance" / "bench" / "locale"


def _catalogue() -> None:
    """Django wants the same sentences under its own name."""
    for words in settings.CATALOGUE.glob("*/LC_MESSAGES/messages.mo"):
        folder = LOCALES / words.parent.relative_to(settings.CATALOGUE)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(words, folder / "django.mo")


def _database() -> dict[str, Any]:
    scheme, _, rest = settings.DATABASE.partition("://")
    if scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": rest[1:], "CONN_MAX_AGE": None}
    who, _, where = rest.partition("@")
    place, _, name = where.partition("/")
    host, _, port = place.partition(":")
    return {
        "ENGINE": "django.db.backends.postgresql", "NAME": name, "USER": who, "HOST": host,
        "PORT": port, "CONN_MAX_AGE": None,
    }  # fmt: skip


_catalogue()
configured.configure(
    SECRET_KEY=settings.SECRET,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": _database()},
    INSTALLED_APPS=[],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.locale.LocaleMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        f"{__name__}.signed_in",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [HERE / "django_templates"],
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ],
    LANGUAGE_CODE="fr",
    LANGUAGES=[("fr", "Français"), ("en", "English")],
    LOCALE_PATHS=[LOCALES],
    USE_TZ=True,
    TIME_ZONE="Europe/Paris",
    USE_THOUSAND_SEPARATOR=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()


class Account(models.Model):
    name = models.TextField()
    seats = models.IntegerField()

    class Meta:
        app_label, managed, db_table = "peer", False, "account"


class User(models.Model):
    email = models.TextField()
    name = models.TextField()

    class Meta:
        app_label, managed, db_table = "peer", False, "user_"


class Membership(models.Model):
    user = models.ForeignKey(User, models.CASCADE)
    account = models.ForeignKey(Account, models.CASCADE)
    is_owner = models.BooleanField()
    is_admin = models.BooleanField()
    is_finance = models.BooleanField()
    licence = models.TextField()
    department = models.TextField()
    job_title = models.TextField()
    joined_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        app_label, managed, db_table = "peer", False, "membership"


class Invitation(models.Model):
    account = models.ForeignKey(Account, models.CASCADE)
    email = models.TextField()
    name = models.TextField()
    department = models.TextField()
    job_title = models.TextField()
    licence = models.TextField()
    is_admin = models.BooleanField()
    is_finance = models.BooleanField()
    inviter = models.ForeignKey(User, models.CASCADE)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    status = models.TextField()
    decline_reason = models.TextField()
    delivery = models.TextField()
    delivery_note = models.TextField()
    next_try_at = models.DateTimeField(null=True)

    class Meta:
        app_label, managed, db_table = "peer", False, "invitation"


class Session(models.Model):
    token_hash = models.TextField()
    user = models.ForeignKey(User, models.CASCADE)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        app_label, managed, db_table = "peer", False, "session_"


def signed_in(answer: Callable[[HttpRequest], HttpResponse]) -> Any:
    def middleware(request: HttpRequest) -> HttpResponse:
        token = settings.hashed(request.COOKIES.get(settings.COOKIE, ""))
        session = (
            Session.objects.select_related("user")
            .filter(token_hash=token, ended_at=None, expires_at__gt=datetime.now(UTC))
            .first()
        )
        if session is None:
            return HttpResponseForbidden()
        request.me = session.user  # type: ignore[attr-defined]
        return answer(request)

    return middleware


def users(request: HttpRequest) -> HttpResponse:
    now, me = datetime.now(UTC), request.me  # type: ignore[attr-defined]
    mine = Membership.objects.select_related("account").get(user=me, ended_at=None)
    here = Membership.objects.filter(account=mine.account, ended_at=None)
    there = Invitation.objects.filter(account=mine.account).exclude(status="accepted")
    most = settings.PAGE + 1
    people = settings.shown(
        here.select_related("user").order_by("-joined_at", "-id")[:most],
        there.select_related("inviter").order_by("-created_at", "-id")[:most],
        now,
    )
    waits, is_over, refused = Q(status="pending"), Q(expires_at__lte=now), Q(delivery="refused")
    counts = there.aggregate(
        pending=Count("id", filter=waits & ~is_over & ~refused),
        attention=Count("id", filter=(waits & (is_over | refused)) | Q(status="declined")),
    )
    counts |= here.aggregate(active=Count("id"), licensed=Count("id", filter=Q(licence="licensed")))
    departments = here.exclude(department="").values_list("department", flat=True).distinct()
    tabs = [(status, words, counts.get(status)) for status, words in TABS]
    context = {
        "me": me, "account": mine.account, "people": people, "counts": counts, "tabs": tabs,
        "departments": sorted(departments),
    }  # fmt: skip
    return render(request, "users.html", context)


TABS = [(status, gettext_lazy(words)) for status, words in settings.TABS]
urlpatterns = [path("users", users, name="users")]
app = get_wsgi_application()
