"""What became of the invitations of a time, as a picture and as numbers."""

from flask import Blueprint, Response, request

from invoices.money import share_out
from webapp import charts, clock
from webapp.actions import funnel
from webapp.htmx import render
from webapp.permissions import SEE_USERS, allows
from webapp.security import require_viewer

views = Blueprint("funnel", __name__)

# Shown only where there are any: nothing that one invites for.
RARE = ("revoked", "superseded")


@views.get("/users/funnel")
@allows(SEE_USERS)
def show() -> Response:
    found = funnel.of(require_viewer().account, request.args.get("period", ""), clock.now())
    counts = [found.invited, *found.outcomes.values()]
    # Of a hundred, so that the parts add up to it whatever is rounded.
    shares = [100, *share_out(100, counts[1:])] if found.invited else [0] * len(counts)
    lengths = charts.funnel(counts, found.invited)
    rows = zip(("invited", *found.outcomes), counts, shares, lengths, strict=True)
    return render(
        "pages/funnel/index.html",
        period=found.period,
        periods=list(funnel.PERIODS),
        rows=[row for row in rows if row[1] or row[0] not in RARE],
        width=charts.WIDTH,
        row_height=charts.ROW,
        bar_height=charts.ROW_BAR,
    )
