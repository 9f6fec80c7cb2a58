"""A server on loopback that speaks Stripe's paths. Refunds, subscriptions' ends and credit are the
strict simulated gateway's, in the database in use; the other records are what a test puts there."""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from webapp.database import database
from webapp.payments.gateway import GatewayRefusal
from webapp.payments.simulated import (
    SimulatedCredit,
    SimulatedGateway,
    SimulatedPayment,
    SimulatedRefund,
    SimulatedSubscription,
)
from webapp.payments.simulated.events import in_stripes_words
from webapp.payments.simulated.faults import Fault

MARK = "affluent_ends"
Form = dict[str, str]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    form: Form
    headers: dict[str, str]


class NoAnswer(Exception):
    """The line is cut before an answer."""


class Said(Exception):
    """An answer that is no 200."""

    def __init__(self, status: int, message: str, type: str = "", code: str = "") -> None:
        self.status = status
        self.error = {"message": message, "type": type or "invalid_request_error", "code": code}


@dataclass
class StripeServer:
    """`records` by kind and id; lists come newest first, as Stripe's do. `asked` is every request
    so far. Use it with `with`."""

    records: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    def __enter__(self) -> "StripeServer":
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                self._answer("GET", parts.path, dict(parse_qsl(parts.query)))

            def do_POST(self) -> None:
                self._write("POST")

            def do_DELETE(self) -> None:
                self._write("DELETE")

            def _write(self, method: str) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                parts = urlsplit(self.path)
                form = dict(parse_qsl(parts.query)) | dict(parse_qsl(body, keep_blank_values=True))
                self._answer(method, parts.path, form)

            def _answer(self, method: str, path: str, form: Form) -> None:
                request = Request(method, path, form, dict(self.headers))
                try:
                    status, body = server.answer(request)
                except NoAnswer:
                    self.close_connection = True
                    return
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *failure: Any) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    def put(self, *records: dict[str, Any]) -> None:
        """Makes the server know records, each under its `object` and `id`; the newest last."""
        for record in records:
            self.records.setdefault(record["object"], {})[record["id"]] = record

    def answer(self, request: Request) -> tuple[int, dict[str, Any]]:
        self.asked.append(request)
        try:
            respond, named = _route(request)
            with database.connection_context():
                return 200, respond(self, request, *named)
        except Said as said:
            return said.status, {"error": said.error}
        except Fault as fault:
            return _failing(fault.fault)
        except GatewayRefusal as no:
            return _refusing(str(no))


def _route(request: Request) -> tuple[Callable[..., dict[str, Any]], tuple[str, ...]]:
    for method, pattern, respond in ROUTES:
        found = re.fullmatch(pattern, request.path)
        if method == request.method and found:
            return respond, found.groups()
    raise Said(404, f"Unrecognized request URL ({request.method}: {request.path})")


def _failing(fault: str) -> tuple[int, dict[str, Any]]:
    if fault == "error":
        return 500, {"error": {"message": "Something went wrong", "type": "api_error"}}
    if fault == "busy":
        words = "This object cannot be accessed right now because another request is using it."
        return 429, {"error": {"message": words, "code": "lock_timeout"}}
    raise NoAnswer


def _refusing(words: str) -> tuple[int, dict[str, Any]]:
    if "idempotency" in words:
        return 400, {"error": {"message": words, "type": "idempotency_error"}}
    if words == "the bank declined":
        return 402, {"error": {"message": words, "type": "card_error", "code": "card_declined"}}
    status = 404 if words.startswith("no ") else 400
    return status, {"error": {"message": words, "type": "invalid_request_error"}}


def page(path: str, found: list[dict[str, Any]], form: Form) -> dict[str, Any]:
    """A page of a list: after `starting_after`, up to `limit`."""
    ids = [one["id"] for one in found]
    after = form.get("starting_after")
    if after is not None and after not in ids:
        raise Said(400, f"No such object: {after}", code="resource_missing")
    first = 0 if after is None else ids.index(after) + 1
    limit = int(form.get("limit", 10))
    if not 1 <= limit <= 100:
        raise Said(400, "Invalid integer: limit")
    rest = found[first:]
    return {
        "object": "list",
        "url": path,
        "data": rest[:limit],
        "has_more": len(rest) > limit,
    }


# Refunds

MOMENT = timedelta(microseconds=1)


def create_refund(server: StripeServer, request: Request) -> dict[str, Any]:
    form = request.form
    reference = form.get("payment_intent") or form.get("charge") or ""
    payment = SimulatedPayment.get_or_none(SimulatedPayment.reference == reference)
    if payment is None:
        raise Said(404, f"No such payment: {reference}", code="resource_missing")
    made = SimulatedGateway().create_refund(
        reference,
        int(form["amount"]),
        payment.currency,
        request.headers["Idempotency-Key"],
        _metadata(form),
    )
    return in_stripes_words(_refund(made.reference))


def fetch_refund(server: StripeServer, request: Request, id: str) -> dict[str, Any]:
    SimulatedGateway().fetch_refund(id)
    return in_stripes_words(_refund(id))


def list_refunds(server: StripeServer, request: Request) -> dict[str, Any]:
    form = request.form
    reference = form.get("payment_intent") or form.get("charge") or ""
    found = SimulatedRefund.select().join(SimulatedPayment).order_by(SimulatedRefund.id.desc())
    # Each for the faults that wait there.
    if "created[gte]" in form:
        since, until = (
            datetime.fromtimestamp(int(form[f"created[{end}]"]), UTC) for end in ("gte", "lt")
        )
        list(SimulatedGateway().list_refunds(since, since))
        found = found.where(SimulatedRefund.created_at.between(since, until - MOMENT))
    else:
        SimulatedGateway().find_refund(reference, "")
        found = found.where(SimulatedPayment.reference == reference)
    return page(request.path, [in_stripes_words(one) for one in found], form)


def _refund(reference: str) -> SimulatedRefund:
    found: SimulatedRefund = SimulatedRefund.get(SimulatedRefund.reference == reference)
    return found


def _metadata(form: Form) -> dict[str, str]:
    keys = {name: re.fullmatch(r"metadata\[(.+)\]", name) for name in form}
    return {found[1]: form[name] for name, found in keys.items() if found}


# Subscriptions


def fetch_subscription(server: StripeServer, request: Request, id: str) -> dict[str, Any]:
    books = SimulatedSubscription.get_or_none(SimulatedSubscription.reference == id)
    if books is None:
        raise Said(404, f"No such subscription: {id}", code="resource_missing")
    return {
        **server.records.get("subscription", {}).get(id, {"id": id, "object": "subscription"}),
        "status": "canceled" if books.is_canceled else "active",
        "cancel_at_period_end": books.ends_with_period,
        "metadata": {MARK: "yes"} if books.is_ended_by_us else {},
    }


def update_subscription(server: StripeServer, request: Request, id: str) -> dict[str, Any]:
    gateway = SimulatedGateway()
    if request.form["cancel_at_period_end"] == "true":
        assert _metadata(request.form) == {MARK: "yes"}
        gateway.end_subscription_at_period_end(id)
    else:
        assert _metadata(request.form) == {MARK: ""}
        gateway.keep_subscription(id)
    return fetch_subscription(server, request, id)


def cancel_subscription(server: StripeServer, request: Request, id: str) -> dict[str, Any]:
    assert (request.form["prorate"], request.form["invoice_now"]) == ("false", "false")
    books = SimulatedSubscription.get_or_none(SimulatedSubscription.reference == id)
    if books is None or books.is_canceled:
        raise Said(404, f"No such subscription: {id}", code="resource_missing")
    SimulatedGateway().cancel_subscription_without_proration(id)
    return fetch_subscription(server, request, id)


# Customers' balances


def add_credit(server: StripeServer, request: Request, customer: str) -> dict[str, Any]:
    form = request.form
    SimulatedGateway().push_credit(
        customer,
        -int(form["amount"]),
        form["currency"].upper(),
        _metadata(form)["credit_key"],
    )
    return list_credit(server, request, customer)["data"][0]  # type: ignore[no-any-return]


def list_credit(server: StripeServer, request: Request, customer: str) -> dict[str, Any]:
    found = (
        SimulatedCredit.select()
        .where(SimulatedCredit.customer == customer)
        .order_by(SimulatedCredit.id.desc())
    )
    records = [
        {
            "id": one.reference,
            "object": "customer_balance_transaction",
            "amount": -one.amount_minor,
            "currency": one.currency.lower(),
            "metadata": {"credit_key": one.key},
        }
        for one in found
    ]
    return page(request.path, records, request.form)


# What a test has put there


def fetch_record(server: StripeServer, request: Request, kind: str, id: str) -> dict[str, Any]:
    found = server.records.get(KINDS[kind], {}).get(id)
    if found is None:
        raise Said(404, f"No such {KINDS[kind]}: {id}", code="resource_missing")
    return found


def list_records(server: StripeServer, request: Request, kind: str) -> dict[str, Any]:
    form = request.form
    found = [
        one
        for one in reversed(server.records.get(KINDS[kind], {}).values())
        if all(one.get(name) == form[name] for name in ("customer", "charge") if name in form)
        and _is_listed(one, form)
    ]
    return page(request.path, found, form)


def _is_listed(record: dict[str, Any], form: Form) -> bool:
    if record.get("deleted"):
        return False
    kinds = [value for name, value in form.items() if re.fullmatch(r"types\[\d*\]", name)]
    if len(kinds) > 20:
        raise Said(400, "Array types exceeded maximum 20 allowed elements.")
    if kinds and record.get("type") not in kinds:
        return False
    if "status" in form and form["status"] not in ("all", record.get("status")):
        return False
    return int(record.get("created") or 0) >= int(form.get("created[gte]", 0))


KINDS = {
    "customers": "customer",
    "subscriptions": "subscription",
    "invoices": "invoice",
    "invoice_payments": "invoice_payment",
    "payment_intents": "payment_intent",
    "charges": "charge",
    "events": "event",
    "tax_rates": "tax_rate",
    "disputes": "dispute",
}
ROUTES: list[tuple[str, str, Callable[..., dict[str, Any]]]] = [
    ("POST", "/v1/refunds", create_refund),
    ("GET", "/v1/refunds", list_refunds),
    ("GET", "/v1/refunds/([^/]+)", fetch_refund),
    ("POST", "/v1/subscriptions/([^/]+)", update_subscription),
    ("DELETE", "/v1/subscriptions/([^/]+)", cancel_subscription),
    ("GET", "/v1/subscriptions/([^/]+)", fetch_subscription),
    ("POST", "/v1/customers/([^/]+)/balance_transactions", add_credit),
    ("GET", "/v1/customers/([^/]+)/balance_transactions", list_credit),
    ("GET", f"/v1/({'|'.join(KINDS)})/([^/]+)", fetch_record),
    ("GET", f"/v1/({'|'.join(KINDS)})", list_records),
]
