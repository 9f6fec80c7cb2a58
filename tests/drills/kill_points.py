"""Every point at which a process is killed in the drills, in one place."""

ACTIONS = "webapp.actions"
GATEWAY = "webapp.payments.simulated.gateway:SimulatedGateway"

# story → the points at which it is killed: before or after a function, from the last moment at
# which nothing was written to the first at which all of it was
POINTS = {
    "the worker sends it": [
        f"before {ACTIONS}.refunds:_begin",
        f"before {ACTIONS}.ledger:post",
        f"after {ACTIONS}.ledger:post",  # held → requested, not committed
        f"after {ACTIONS}.refunds:_begin",  # held → requested, committed
        f"before {GATEWAY}.create_refund",
        f"after {GATEWAY}.create_refund",  # made, the answer on its way
        f"before {ACTIONS}.refunds:_record",
        f"after {ACTIONS}.refunds:_transfers",  # the answer recorded, not committed
        f"after {ACTIONS}.refunds:_record",
        "before webapp.outbox.claiming:mark_left",
        "after webapp.outbox.claiming:mark_left",
        "before invoices.pdf:render",
        "after invoices.pdf:render",
        f"after {ACTIONS}.statements:render",
        "before webapp.smtp:Post.send",
        "after webapp.smtp:Post.send",
    ],
    "reconcile follows it": [
        f"before {GATEWAY}.fetch_refund",
        f"after {GATEWAY}.fetch_refund",
        f"after {ACTIONS}.refunds:_transfers",
        f"before {ACTIONS}.ledger:post",
        f"after {ACTIONS}.ledger:post",
        f"after {ACTIONS}.refunds:_record",
    ],
    "reconcile asks after a lost answer": [
        f"after {GATEWAY}.find_refund",
        f"before {ACTIONS}.refunds:_record",
        f"after {ACTIONS}.refunds:_record",
    ],
    "the person joins": [
        f"after {ACTIONS}.settlements:_write",
        f"after {ACTIONS}.ledger:post",
        f"after {ACTIONS}.series:take",
        f"after {ACTIONS}.settlements:settle",
        f"after {ACTIONS}.joining:accept",
    ],
    "the person undoes": [
        f"after {ACTIONS}.undo:_restore",
        f"after {ACTIONS}.ledger:post",
        f"after {ACTIONS}.statements:cancel",
        f"after {ACTIONS}.undo:undo",
    ],
    "the person sends it now": [
        f"after {ACTIONS}.undo:_claim",
        f"after {ACTIONS}.undo:_leave",
        f"after {ACTIONS}.undo:send_now",
    ],
    "the seller tries again": [
        f"after {ACTIONS}.failed_refunds:_another",
        f"after {ACTIONS}.failed_refunds:try_again",
    ],
    "the seller pays by hand": [
        f"after {ACTIONS}.failed_refunds:_requested_again",
        f"after {ACTIONS}.ledger:post",
        f"after {ACTIONS}.failed_refunds:pay_by_hand",
    ],
    "the seller pays out": [
        f"before {ACTIONS}.ledger:post",
        f"after {ACTIONS}.failed_refunds:pay_by_hand",
    ],
    "the person hands it over": [
        f"after {ACTIONS}.credit:open_lot",
        f"after {ACTIONS}.ledger:post",
        f"after {ACTIONS}.series:take",
        f"after {ACTIONS}.failed_refunds:hand_over",
    ],
    "the person joins with credit": [
        f"before {ACTIONS}.ledger:post",
        f"after {ACTIONS}.settlements:_hold_credit",
        f"after {ACTIONS}.series:take",
        f"after {ACTIONS}.statements:issue",
        f"after {ACTIONS}.settlements:settle",
        f"after {ACTIONS}.joining:accept",
    ],
    "the person undoes credit": [
        f"after {ACTIONS}.undo:_restore",
        f"after {ACTIONS}.ledger:post",
        f"after {ACTIONS}.series:take",
        f"after {ACTIONS}.statements:cancel",
        f"after {ACTIONS}.undo:undo",
    ],
    "the worker releases credit": [
        f"before {ACTIONS}.settlements:release",
        f"after {ACTIONS}.ledger:post",
        f"after {ACTIONS}.credit:open_lot",  # not committed
        f"after {ACTIONS}.settlements:release",  # committed
        "before webapp.outbox.claiming:mark_left",
        "after webapp.outbox.claiming:mark_left",
    ],
    "the worker sends an invitation": [
        f"before {ACTIONS}.deliveries:draw_link",
        f"after {ACTIONS}.deliveries:draw_link",  # the link is committed
        "before webapp.smtp_line:Plain.send_content",
        "after webapp.smtp_line:Plain.hear_of_content",  # the server has answered 250
        "after webapp.smtp:Post.send",
        "before webapp.outbox.claiming:mark_left",
        "after webapp.outbox.claiming:mark_left",
        f"after {ACTIONS}.deliveries:note",
    ],
    "the worker sends a run of them": [
        f"after {ACTIONS}.deliveries:draw_links",
        "before webapp.smtp_line:Plain.send_content",
        "after webapp.smtp_line:Plain.send_content",
        "after webapp.smtp_line:Plain.hear_of_content",
        f"before {ACTIONS}.sent:mark",
        f"after {ACTIONS}.sent:mark",
        f"before {ACTIONS}.sent:tell",
        f"after {ACTIONS}.sent:tell",
    ],
    "an admin invites": [
        f"after {ACTIONS}.inviting:write",
        "after webapp.outbox:write_all",
        f"after {ACTIONS}.invitations:invite",
    ],
    "an admin resends": [
        f"after {ACTIONS}.invitations:_end_links",
        "after webapp.outbox:cancel",
        f"after {ACTIONS}.invitations:_mail",
        f"after {ACTIONS}.invitations:resend",
    ],
    "an admin revokes": [
        "before webapp.outbox:cancel",
        "after webapp.outbox:cancel",
        f"after {ACTIONS}.invitations:revoke",
    ],
    "a member leaves": [
        f"after {ACTIONS}.accounts:own_again",
        "after webapp.outbox:write",
        f"after {ACTIONS}.members:leave",
    ],
    "the gateway tells of a refund": [
        f"after {ACTIONS}.webhooks:_is_new",
        f"after {ACTIONS}.webhooks:_ask",
        f"after {ACTIONS}.webhooks:receive",
    ],
    "an invoice takes credit": [
        f"before {ACTIONS}.credit:pay",
        f"after {ACTIONS}.ledger:post",
        f"after {ACTIONS}.credit:pay",
        f"after {ACTIONS}.invoices:add",
    ],
    "an invoice is voided": [
        f"before {ACTIONS}.credit:give_back",
        f"after {ACTIONS}.ledger:post",
        f"after {ACTIONS}.credit:give_back",
        f"after {ACTIONS}.invoices:void",
    ],
    "a file of people is sent": [
        f"before {ACTIONS}.uploads.sending:_send_rows",
        f"after {ACTIONS}.uploads.sending:_note",
        f"after {ACTIONS}.uploads.sending:_send_rows",  # a chunk, not committed
        f"after {ACTIONS}.uploads.sending:send",
        "before webapp.outbox.claiming:mark_left",
        "after webapp.outbox.claiming:mark_left",
    ],
    "a file of accounts is imported": [
        f"after {ACTIONS}.ledger:post",
        f"after {ACTIONS}.imports:Import._line",
        f"before {ACTIONS}.imports:Import._chunk",
        f"after {ACTIONS}.imports:Import._chunk",
    ],
}
