"""In development only: the demo's people, one press each."""

from flask import Blueprint, Response, abort, request

from webapp import demo, security
from webapp.htmx import go, render
from webapp.models import User
from webapp.permissions import DEVELOPMENT, allows

views = Blueprint("dev", __name__)


@views.get("/dev")
@allows(DEVELOPMENT)
def show() -> Response:
    return render("pages/dev/index.html", people=demo.people())


@views.post("/dev/sign-in")
@allows(DEVELOPMENT)
def sign_in() -> Response:
    email = request.form.get("email", "")
    if email not in {person.email for person in demo.people()}:
        abort(404)
    user = User.get_or_none(User.email == email)
    if user is None:
        abort(404)
    security.sign_in(user)
    return go("home.show")
