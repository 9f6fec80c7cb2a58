CREATE TABLE account (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    public_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    country TEXT NOT NULL,
    tax_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    locale TEXT NOT NULL,
    seats INTEGER NOT NULL,
    invitations_per_day INTEGER NOT NULL,
    recommendation TEXT NOT NULL,
    recommendation_note TEXT NOT NULL,
    invitation_days INTEGER NOT NULL,
    first_reminder_days INTEGER NOT NULL,
    second_reminder_days INTEGER NOT NULL,
    last_reminder_days INTEGER NOT NULL,
    basic_when_full BOOLEAN NOT NULL,
    second_factor TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    closed_at TIMESTAMPTZ,
    imported_digest TEXT,
    gateway_customer TEXT,
    CONSTRAINT account_kind CHECK (kind IN ('individual', 'organisation', 'operator')),
    CONSTRAINT account_currency CHECK (length(currency) = 3),
    CONSTRAINT account_locale CHECK (locale IN ('fr', 'en')),
    CONSTRAINT account_limits CHECK (seats >= 0 AND invitations_per_day >= 0),
    CONSTRAINT account_recommendation CHECK (recommendation IN ('', 'refund', 'credit')),
    CONSTRAINT account_invitation_days CHECK (invitation_days BETWEEN 0 AND 365),
    CONSTRAINT account_reminder_days CHECK (first_reminder_days BETWEEN 0 AND 365 AND second_reminder_days BETWEEN 0 AND 365 AND last_reminder_days BETWEEN 0 AND 365),
    CONSTRAINT account_second_factor CHECK (second_factor IN ('', 'admins', 'all')),
    CONSTRAINT account_closed CHECK (closed_at IS NULL OR kind = 'individual')
);

CREATE UNIQUE INDEX account_public_id ON account (public_id);

CREATE UNIQUE INDEX account_gateway_customer ON account (gateway_customer);

CREATE UNIQUE INDEX account_one_operator ON account (kind) WHERE kind = 'operator';

CREATE TABLE subscription (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL,
    plan TEXT NOT NULL,
    status TEXT NOT NULL,
    currency TEXT NOT NULL,
    billing_zone TEXT NOT NULL,
    period_start_on DATE,
    period_end_on DATE,
    trial_end_on DATE,
    ended_at TIMESTAMPTZ,
    gateway_reference TEXT,
    FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT subscription_status CHECK (status IN ('active', 'lapsed', 'ended')),
    CONSTRAINT subscription_ended CHECK ((status = 'ended') = (ended_at IS NOT NULL)),
    CONSTRAINT subscription_period CHECK ((period_start_on IS NULL AND period_end_on IS NULL) OR period_start_on < period_end_on)
);

CREATE UNIQUE INDEX subscription_one_in_force ON subscription (account_id) WHERE status <> 'ended';

CREATE INDEX subscription_account ON subscription (account_id, id);

CREATE TABLE user_ (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT,
    locale TEXT NOT NULL,
    folded TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    verified_at TIMESTAMPTZ,
    erased_at TIMESTAMPTZ,
    wants_digest BOOLEAN NOT NULL,
    CONSTRAINT user_email CHECK (email = lower(email)),
    CONSTRAINT user_locale CHECK (locale IN ('fr', 'en'))
);

CREATE UNIQUE INDEX user__email ON user_ (email);

CREATE TABLE membership (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    is_owner BOOLEAN NOT NULL,
    is_admin BOOLEAN NOT NULL,
    is_finance BOOLEAN NOT NULL,
    licence TEXT NOT NULL,
    department TEXT NOT NULL,
    job_title TEXT NOT NULL,
    location TEXT NOT NULL,
    folded TEXT COLLATE "C" NOT NULL,
    joined_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    FOREIGN KEY (user_id) REFERENCES user_ (id),
    FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT membership_licence CHECK (licence IN ('basic', 'licensed')),
    CONSTRAINT membership_ended CHECK (ended_at IS NULL OR ended_at >= joined_at)
);

CREATE UNIQUE INDEX membership_one_active ON membership (user_id) WHERE ended_at IS NULL;

CREATE INDEX membership_newest ON membership (account_id, joined_at, id, folded) WHERE ended_at IS NULL;

CREATE INDEX membership_named ON membership (account_id, folded, id) WHERE ended_at IS NULL;

CREATE INDEX membership_department ON membership (account_id, department) WHERE ended_at IS NULL;

CREATE INDEX membership_licensed ON membership (account_id) WHERE ended_at IS NULL AND licence = 'licensed';

CREATE INDEX membership_of_user ON membership (user_id, ended_at);

CREATE TABLE session_ (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    token_hash TEXT NOT NULL,
    user_id BIGINT NOT NULL,
    agent TEXT NOT NULL,
    needs_factor BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL,
    proven_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    FOREIGN KEY (user_id) REFERENCES user_ (id)
);

CREATE UNIQUE INDEX session__token_hash ON session_ (token_hash);

CREATE INDEX session__user_id ON session_ (user_id);

CREATE TABLE sign_in_code (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    browser_hash TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    purpose TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    tries INTEGER NOT NULL,
    used_at TIMESTAMPTZ,
    CONSTRAINT sign_in_code_tries CHECK (tries BETWEEN 0 AND 5),
    CONSTRAINT sign_in_code_purpose CHECK (purpose IN ('sign-in', 'password'))
);

CREATE INDEX sign_in_code_email ON sign_in_code (email);

CREATE TABLE passkey (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL,
    credential_id TEXT NOT NULL,
    public_key TEXT NOT NULL,
    sign_count BIGINT NOT NULL,
    name TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ,
    FOREIGN KEY (user_id) REFERENCES user_ (id)
);

CREATE INDEX passkey_user_id ON passkey (user_id);

CREATE UNIQUE INDEX passkey_credential_id ON passkey (credential_id);

CREATE TABLE authenticator (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL,
    secret TEXT NOT NULL,
    last_step BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    confirmed_at TIMESTAMPTZ,
    FOREIGN KEY (user_id) REFERENCES user_ (id)
);

CREATE UNIQUE INDEX authenticator_user_id ON authenticator (user_id);

CREATE TABLE recovery_code (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    user_id BIGINT NOT NULL,
    code_hash TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    used_at TIMESTAMPTZ,
    FOREIGN KEY (user_id) REFERENCES user_ (id)
);

CREATE INDEX recovery_code_user_id ON recovery_code (user_id);

CREATE TABLE spent_challenge (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    challenge_hash TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

CREATE UNIQUE INDEX spent_challenge_challenge_hash ON spent_challenge (challenge_hash);

CREATE TABLE guess (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    key TEXT NOT NULL,
    count INTEGER NOT NULL,
    last_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT guess_count CHECK (count >= 0)
);

CREATE UNIQUE INDEX guess_key ON guess (key);

CREATE TABLE throttle (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    key TEXT NOT NULL,
    window_at TIMESTAMPTZ NOT NULL,
    count INTEGER NOT NULL
);

CREATE UNIQUE INDEX throttle_key_window_at ON throttle (key, window_at);

CREATE TABLE invitation (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    department TEXT NOT NULL,
    job_title TEXT NOT NULL,
    location TEXT NOT NULL,
    note TEXT NOT NULL,
    locale TEXT NOT NULL,
    licence TEXT NOT NULL,
    is_admin BOOLEAN NOT NULL,
    is_finance BOOLEAN NOT NULL,
    folded TEXT COLLATE "C" NOT NULL,
    inviter_id BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    status TEXT NOT NULL,
    answered_at TIMESTAMPTZ,
    decline_reason TEXT NOT NULL,
    delivery TEXT NOT NULL,
    delivery_note TEXT NOT NULL,
    delivery_at TIMESTAMPTZ NOT NULL,
    next_try_at TIMESTAMPTZ,
    told_at TIMESTAMPTZ,
    remind_at TIMESTAMPTZ,
    muted_at TIMESTAMPTZ,
    mended_at TIMESTAMPTZ,
    renewal_asked_at TIMESTAMPTZ,
    seat_wanted_at TIMESTAMPTZ,
    reported_at TIMESTAMPTZ,
    report TEXT NOT NULL,
    report_seen_at TIMESTAMPTZ,
    FOREIGN KEY (account_id) REFERENCES account (id),
    FOREIGN KEY (inviter_id) REFERENCES user_ (id),
    CONSTRAINT invitation_status CHECK (status IN ('pending', 'accepted', 'declined', 'revoked', 'superseded')),
    CONSTRAINT invitation_answered CHECK ((status = 'pending') = (answered_at IS NULL)),
    CONSTRAINT invitation_licence CHECK (licence IN ('basic', 'licensed')),
    CONSTRAINT invitation_locale CHECK (locale IN ('fr', 'en')),
    CONSTRAINT invitation_delivery CHECK (delivery IN ('queued', 'sent', 'deferred', 'refused')),
    CONSTRAINT invitation_email CHECK (email = lower(email))
);

CREATE UNIQUE INDEX invitation_one_pending ON invitation (account_id, email) WHERE status = 'pending';

CREATE INDEX invitation_pending ON invitation (account_id, expires_at) WHERE status = 'pending';

CREATE INDEX invitation_newest ON invitation (account_id, created_at, id, status, expires_at);

CREATE INDEX invitation_listed ON invitation (account_id, created_at, id, folded) WHERE status <> 'accepted';

CREATE INDEX invitation_named ON invitation (account_id, folded, id) WHERE status <> 'accepted';

CREATE INDEX invitation_department ON invitation (account_id, department);

CREATE INDEX invitation_inviter ON invitation (account_id, inviter_id);

CREATE INDEX invitation_of_admin ON invitation (account_id, inviter_id) WHERE is_admin AND status = 'pending';

CREATE INDEX invitation_pending_email ON invitation (email) WHERE status = 'pending';

CREATE INDEX invitation_recent ON invitation (email, created_at);

CREATE INDEX invitation_untold ON invitation (account_id, inviter_id) WHERE told_at IS NULL AND status IN ('accepted', 'declined');

CREATE INDEX invitation_remind ON invitation (remind_at) WHERE status = 'pending' AND remind_at IS NOT NULL;

CREATE INDEX invitation_seat_wanted ON invitation (account_id) WHERE seat_wanted_at IS NOT NULL AND status = 'pending';

CREATE INDEX invitation_reported ON invitation (reported_at) WHERE reported_at IS NOT NULL;

CREATE TABLE invitation_link (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    token_hash TEXT NOT NULL,
    invitation_id BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    replaced_at TIMESTAMPTZ,
    FOREIGN KEY (invitation_id) REFERENCES invitation (id)
);

CREATE UNIQUE INDEX invitation_link_token_hash ON invitation_link (token_hash);

CREATE INDEX invitation_link_invitation_id ON invitation_link (invitation_id);

CREATE TABLE people_count (
    account_id BIGINT NOT NULL PRIMARY KEY,
    active INTEGER NOT NULL,
    licensed INTEGER NOT NULL,
    pending INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    expired INTEGER NOT NULL,
    declined INTEGER NOT NULL,
    revoked INTEGER NOT NULL,
    as_of TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (account_id) REFERENCES account (id)
);

CREATE TABLE upload (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL,
    inviter_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    headings TEXT NOT NULL,
    columns TEXT NOT NULL,
    content BYTEA,
    licence TEXT NOT NULL,
    role TEXT NOT NULL,
    locale TEXT NOT NULL,
    note TEXT NOT NULL,
    total INTEGER NOT NULL,
    confirmed INTEGER NOT NULL,
    sent INTEGER NOT NULL,
    unsent INTEGER NOT NULL,
    sent_to INTEGER NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    FOREIGN KEY (account_id) REFERENCES account (id),
    FOREIGN KEY (inviter_id) REFERENCES user_ (id),
    CONSTRAINT upload_status CHECK (status IN ('draft', 'sending', 'waiting', 'done', 'canceled')),
    CONSTRAINT upload_ended CHECK ((status IN ('done', 'canceled')) = (ended_at IS NOT NULL)),
    CONSTRAINT upload_licence CHECK (licence IN ('basic', 'licensed')),
    CONSTRAINT upload_role CHECK (role IN ('member', 'finance', 'admin')),
    CONSTRAINT upload_locale CHECK (locale IN ('fr', 'en')),
    CONSTRAINT upload_counts CHECK (0 <= sent AND 0 <= unsent AND sent + unsent <= confirmed AND confirmed <= total)
);

CREATE INDEX upload_newest ON upload (account_id, id);

CREATE TABLE upload_row (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    upload_id BIGINT NOT NULL,
    line INTEGER NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    department TEXT NOT NULL,
    job_title TEXT NOT NULL,
    location TEXT NOT NULL,
    licence TEXT NOT NULL,
    role TEXT NOT NULL,
    locale TEXT NOT NULL,
    verdict TEXT NOT NULL,
    is_mended BOOLEAN NOT NULL,
    invitation_id BIGINT,
    FOREIGN KEY (upload_id) REFERENCES upload (id) ON DELETE CASCADE,
    FOREIGN KEY (invitation_id) REFERENCES invitation (id),
    CONSTRAINT upload_row_verdict CHECK (verdict IN ('ready', 'repeated', 'malformed', 'member', 'invited', 'later', 'admin', 'sent')),
    CONSTRAINT upload_row_sent CHECK ((verdict = 'sent') = (invitation_id IS NOT NULL))
);

CREATE UNIQUE INDEX upload_row_upload_id_line ON upload_row (upload_id, line);

CREATE INDEX upload_row_upload_id_verdict_line ON upload_row (upload_id, verdict, line);

CREATE TABLE payment (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL,
    subscription_id BIGINT,
    gateway TEXT NOT NULL,
    reference TEXT NOT NULL,
    method TEXT NOT NULL,
    currency TEXT NOT NULL,
    captured_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    tax_rate TEXT,
    captured_at TIMESTAMPTZ NOT NULL,
    returned_minor BIGINT NOT NULL,
    returned_tax_minor BIGINT NOT NULL,
    returned_elsewhere_minor BIGINT NOT NULL,
    returning_minor BIGINT NOT NULL,
    invoice_number TEXT NOT NULL,
    invoice_on DATE,
    is_disputed BOOLEAN NOT NULL,
    FOREIGN KEY (account_id) REFERENCES account (id),
    FOREIGN KEY (subscription_id) REFERENCES subscription (id),
    CONSTRAINT payment_gateway CHECK (gateway IN ('simulated', 'stripe', 'none')),
    CONSTRAINT payment_captured CHECK (captured_minor > 0),
    CONSTRAINT payment_tax CHECK (tax_minor >= 0 AND tax_minor <= captured_minor),
    CONSTRAINT payment_returned CHECK (returned_minor >= 0 AND returned_minor <= captured_minor),
    CONSTRAINT payment_returned_tax CHECK (returned_tax_minor >= 0 AND returned_tax_minor <= tax_minor),
    CONSTRAINT payment_returned_elsewhere CHECK (returned_elsewhere_minor >= 0 AND returned_elsewhere_minor <= returned_minor),
    CONSTRAINT payment_returning CHECK (returning_minor >= 0 AND returning_minor <= returned_elsewhere_minor)
);

CREATE INDEX payment_subscription_id ON payment (subscription_id);

CREATE UNIQUE INDEX payment_account_id_reference ON payment (account_id, reference);

CREATE UNIQUE INDEX payment_one_of_gateway ON payment (gateway, reference) WHERE gateway <> 'none';

CREATE TABLE invoice (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL,
    number TEXT NOT NULL,
    issued_on DATE,
    due_on DATE,
    currency TEXT NOT NULL,
    total_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    paid_minor BIGINT NOT NULL,
    pay_url TEXT NOT NULL,
    is_being_paid BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    voided_at TIMESTAMPTZ,
    FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT invoice_total CHECK (total_minor > 0),
    CONSTRAINT invoice_tax CHECK (tax_minor >= 0 AND tax_minor <= total_minor),
    CONSTRAINT invoice_paid CHECK (paid_minor >= 0 AND paid_minor <= total_minor)
);

CREATE UNIQUE INDEX invoice_account_id_number ON invoice (account_id, number);

CREATE INDEX invoice_open ON invoice (account_id) WHERE voided_at IS NULL AND paid_minor < total_minor;

CREATE TABLE acceptance (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    invitation_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    organisation_id BIGINT NOT NULL,
    membership_id BIGINT NOT NULL,
    left_membership_id BIGINT NOT NULL,
    closed_account_id BIGINT,
    ended_subscription_id BIGINT,
    accepted_at TIMESTAMPTZ NOT NULL,
    undo_until TIMESTAMPTZ NOT NULL,
    undone_at TIMESTAMPTZ,
    FOREIGN KEY (invitation_id) REFERENCES invitation (id),
    FOREIGN KEY (user_id) REFERENCES user_ (id),
    FOREIGN KEY (organisation_id) REFERENCES account (id),
    FOREIGN KEY (membership_id) REFERENCES membership (id),
    FOREIGN KEY (left_membership_id) REFERENCES membership (id),
    FOREIGN KEY (closed_account_id) REFERENCES account (id),
    FOREIGN KEY (ended_subscription_id) REFERENCES subscription (id)
);

CREATE UNIQUE INDEX acceptance_invitation_id ON acceptance (invitation_id);

CREATE INDEX acceptance_user_id ON acceptance (user_id);

CREATE INDEX acceptance_organisation_id ON acceptance (organisation_id);

CREATE INDEX acceptance_membership_id ON acceptance (membership_id);

CREATE INDEX acceptance_left_membership_id ON acceptance (left_membership_id);

CREATE INDEX acceptance_closed_account_id ON acceptance (closed_account_id);

CREATE INDEX acceptance_ended_subscription_id ON acceptance (ended_subscription_id);

CREATE UNIQUE INDEX acceptance_one_of_plan ON acceptance (ended_subscription_id) WHERE undone_at IS NULL;

CREATE INDEX acceptance_held ON acceptance (undo_until) WHERE undone_at IS NULL;

CREATE INDEX acceptance_undone ON acceptance (undone_at) WHERE undone_at IS NOT NULL;

CREATE TABLE settlement (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    acceptance_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    organisation_id BIGINT NOT NULL,
    choice TEXT NOT NULL,
    currency TEXT NOT NULL,
    settled_on DATE NOT NULL,
    gross_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    derivation TEXT NOT NULL,
    FOREIGN KEY (acceptance_id) REFERENCES acceptance (id),
    FOREIGN KEY (account_id) REFERENCES account (id),
    FOREIGN KEY (organisation_id) REFERENCES account (id),
    CONSTRAINT settlement_choice CHECK (choice IN ('refund', 'credit')),
    CONSTRAINT settlement_gross CHECK (gross_minor > 0),
    CONSTRAINT settlement_tax CHECK (tax_minor >= 0 AND tax_minor <= gross_minor)
);

CREATE UNIQUE INDEX settlement_acceptance_id ON settlement (acceptance_id);

CREATE INDEX settlement_account_id ON settlement (account_id);

CREATE INDEX settlement_organisation_id ON settlement (organisation_id);

CREATE TABLE settlement_share (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    settlement_id BIGINT NOT NULL,
    payment_id BIGINT NOT NULL,
    gross_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    FOREIGN KEY (settlement_id) REFERENCES settlement (id),
    FOREIGN KEY (payment_id) REFERENCES payment (id),
    CONSTRAINT settlement_share_gross CHECK (gross_minor > 0),
    CONSTRAINT settlement_share_tax CHECK (tax_minor >= 0 AND tax_minor <= gross_minor)
);

CREATE INDEX settlement_share_payment_id ON settlement_share (payment_id);

CREATE UNIQUE INDEX settlement_share_settlement_id_payment_id ON settlement_share (settlement_id, payment_id);

CREATE TABLE credit_lot (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    organisation_id BIGINT NOT NULL,
    settlement_id BIGINT NOT NULL,
    share_id BIGINT,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    available_at TIMESTAMPTZ NOT NULL,
    told_at TIMESTAMPTZ,
    FOREIGN KEY (organisation_id) REFERENCES account (id),
    FOREIGN KEY (settlement_id) REFERENCES settlement (id),
    FOREIGN KEY (share_id) REFERENCES settlement_share (id),
    CONSTRAINT credit_lot_amount CHECK (amount_minor > 0)
);

CREATE INDEX credit_lot_settlement_id ON credit_lot (settlement_id);

CREATE UNIQUE INDEX credit_lot_share_id ON credit_lot (share_id);

CREATE INDEX credit_lot_organisation_id_currency_available_at_id ON credit_lot (organisation_id, currency, available_at, id);

CREATE UNIQUE INDEX credit_lot_whole ON credit_lot (settlement_id) WHERE share_id IS NULL;

CREATE INDEX credit_lot_untold ON credit_lot (organisation_id) WHERE told_at IS NULL;

CREATE TABLE credit_push (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    organisation_id BIGINT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    state TEXT NOT NULL,
    key TEXT NOT NULL,
    gateway_reference TEXT,
    reason TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (organisation_id) REFERENCES account (id),
    CONSTRAINT credit_push_state CHECK (state IN ('requested', 'succeeded', 'failed')),
    CONSTRAINT credit_push_amount CHECK (amount_minor > 0)
);

CREATE UNIQUE INDEX credit_push_key ON credit_push (key);

CREATE UNIQUE INDEX credit_push_gateway_reference ON credit_push (gateway_reference);

CREATE UNIQUE INDEX credit_push_one_under_way ON credit_push (organisation_id, currency) WHERE state = 'requested';

CREATE TABLE credit_use (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    invoice_id BIGINT,
    push_id BIGINT,
    lot_id BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    used_at TIMESTAMPTZ NOT NULL,
    given_back_at TIMESTAMPTZ,
    FOREIGN KEY (invoice_id) REFERENCES invoice (id),
    FOREIGN KEY (push_id) REFERENCES credit_push (id),
    FOREIGN KEY (lot_id) REFERENCES credit_lot (id),
    CONSTRAINT credit_use_amount CHECK (amount_minor > 0),
    CONSTRAINT credit_use_one CHECK ((invoice_id IS NULL) <> (push_id IS NULL))
);

CREATE INDEX credit_use_lot_id ON credit_use (lot_id);

CREATE UNIQUE INDEX credit_use_invoice_id_lot_id ON credit_use (invoice_id, lot_id);

CREATE UNIQUE INDEX credit_use_push_id_lot_id ON credit_use (push_id, lot_id);

CREATE TABLE refund (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    share_id BIGINT NOT NULL,
    payment_id BIGINT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    state TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    gateway_reference TEXT,
    bank_reference TEXT NOT NULL,
    reason TEXT NOT NULL,
    is_by_hand BOOLEAN NOT NULL,
    paid_on DATE,
    created_at TIMESTAMPTZ NOT NULL,
    requested_at TIMESTAMPTZ,
    changed_at TIMESTAMPTZ NOT NULL,
    followed_at TIMESTAMPTZ,
    told_at TIMESTAMPTZ,
    FOREIGN KEY (share_id) REFERENCES settlement_share (id),
    FOREIGN KEY (payment_id) REFERENCES payment (id),
    CONSTRAINT refund_state CHECK (state IN ('held', 'requested', 'pending', 'requires_action', 'succeeded', 'failed', 'canceled')),
    CONSTRAINT refund_amount CHECK (amount_minor > 0),
    CONSTRAINT refund_requested CHECK (state <> 'held' OR requested_at IS NULL),
    CONSTRAINT refund_paid_on CHECK (paid_on IS NULL OR (is_by_hand AND state = 'succeeded'))
);

CREATE INDEX refund_payment_id ON refund (payment_id);

CREATE UNIQUE INDEX refund_idempotency_key ON refund (idempotency_key);

CREATE UNIQUE INDEX refund_gateway_reference ON refund (gateway_reference);

CREATE INDEX refund_share_id_id ON refund (share_id, id);

CREATE UNIQUE INDEX refund_one_alive ON refund (share_id) WHERE state NOT IN ('failed', 'canceled');

CREATE INDEX refund_underway ON refund (changed_at) WHERE state IN ('requested', 'pending', 'requires_action', 'failed');

CREATE INDEX refund_arrived ON refund (changed_at) WHERE state = 'succeeded';

CREATE INDEX refund_untold ON refund (state) WHERE told_at IS NULL AND requested_at IS NOT NULL;

CREATE TABLE ledger_account (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    currency TEXT NOT NULL,
    normal TEXT NOT NULL,
    FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT ledger_account_normal CHECK (normal IN ('debit', 'credit'))
);

CREATE UNIQUE INDEX ledger_account_account_id_kind_currency ON ledger_account (account_id, kind, currency);

CREATE TABLE ledger_transfer (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    debit_id BIGINT NOT NULL,
    credit_id BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (debit_id) REFERENCES ledger_account (id),
    FOREIGN KEY (credit_id) REFERENCES ledger_account (id),
    CONSTRAINT ledger_transfer_amount CHECK (amount_minor > 0),
    CONSTRAINT ledger_transfer_sides CHECK (debit_id <> credit_id)
);

CREATE UNIQUE INDEX ledger_transfer_key ON ledger_transfer (key);

CREATE INDEX ledger_transfer_debit_id_id ON ledger_transfer (debit_id, id);

CREATE INDEX ledger_transfer_credit_id_id ON ledger_transfer (credit_id, id);

CREATE INDEX ledger_transfer_at_id ON ledger_transfer (at, id);

CREATE TABLE statement_series (
    seller TEXT NOT NULL,
    kind TEXT NOT NULL,
    year INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (seller, kind, year),
    CONSTRAINT statement_series_last CHECK (last > 0)
);

CREATE TABLE statement (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    number TEXT NOT NULL,
    seller TEXT NOT NULL,
    kind TEXT NOT NULL,
    year INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    account_id BIGINT NOT NULL,
    user_id BIGINT,
    settlement_id BIGINT NOT NULL,
    corrects_id BIGINT,
    customer_name TEXT NOT NULL,
    currency TEXT NOT NULL,
    gross_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    locale TEXT NOT NULL,
    issued_on DATE NOT NULL,
    issued_at TIMESTAMPTZ NOT NULL,
    inputs TEXT NOT NULL,
    pdf BYTEA,
    sha256 TEXT,
    rendered_at TIMESTAMPTZ,
    FOREIGN KEY (account_id) REFERENCES account (id),
    FOREIGN KEY (user_id) REFERENCES user_ (id),
    FOREIGN KEY (settlement_id) REFERENCES settlement (id),
    FOREIGN KEY (corrects_id) REFERENCES statement (id),
    CONSTRAINT statement_kind CHECK (kind IN ('refund', 'credit', 'account_credit')),
    CONSTRAINT statement_rendered CHECK ((pdf IS NULL) = (sha256 IS NULL) AND (pdf IS NULL) = (rendered_at IS NULL))
);

CREATE UNIQUE INDEX statement_number ON statement (number);

CREATE INDEX statement_settlement_id ON statement (settlement_id);

CREATE UNIQUE INDEX statement_corrects_id ON statement (corrects_id);

CREATE UNIQUE INDEX statement_seller_kind_year_sequence ON statement (seller, kind, year, sequence);

CREATE INDEX statement_account ON statement (account_id, issued_at, id);

CREATE INDEX statement_user ON statement (user_id, issued_at, id);

CREATE INDEX statement_newest ON statement (issued_at, id, kind, currency, gross_minor, tax_minor, corrects_id, issued_on);

CREATE INDEX statement_unrendered ON statement (issued_at) WHERE rendered_at IS NULL;

CREATE TABLE outbox_message (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    invitation_id BIGINT,
    created_at TIMESTAMPTZ NOT NULL,
    leaves_at TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL,
    claimed_until TIMESTAMPTZ,
    claim TEXT,
    sent_at TIMESTAMPTZ,
    left_at TIMESTAMPTZ,
    quarantined_at TIMESTAMPTZ,
    canceled_at TIMESTAMPTZ,
    error TEXT NOT NULL,
    FOREIGN KEY (invitation_id) REFERENCES invitation (id),
    CONSTRAINT outbox_message_attempts CHECK (attempts >= 0),
    CONSTRAINT outbox_message_end CHECK ((CASE WHEN left_at IS NULL THEN 0 ELSE 1 END) + (CASE WHEN quarantined_at IS NULL THEN 0 ELSE 1 END) + (CASE WHEN canceled_at IS NULL THEN 0 ELSE 1 END) <= 1)
);

CREATE INDEX outbox_message_invitation_id ON outbox_message (invitation_id);

CREATE INDEX outbox_message_waiting ON outbox_message (leaves_at, id) WHERE left_at IS NULL AND quarantined_at IS NULL AND canceled_at IS NULL;

CREATE INDEX outbox_message_kind ON outbox_message (kind, leaves_at, id) WHERE left_at IS NULL AND quarantined_at IS NULL AND canceled_at IS NULL;

CREATE INDEX outbox_message_left ON outbox_message (left_at) WHERE left_at IS NOT NULL;

CREATE INDEX outbox_message_quarantined ON outbox_message (quarantined_at) WHERE quarantined_at IS NOT NULL;

CREATE TABLE notice (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    month TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT notice_kind CHECK (kind IN ('credit', 'refunds', 'month')),
    CONSTRAINT notice_month CHECK ((kind = 'month') = (length(month) = 7))
);

CREATE UNIQUE INDEX notice_account_id_kind_month ON notice (account_id, kind, month);

CREATE TABLE delivery_event (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    invitation_id BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    words TEXT NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    next_try_at TIMESTAMPTZ,
    FOREIGN KEY (invitation_id) REFERENCES invitation (id),
    FOREIGN KEY (message_id) REFERENCES outbox_message (id),
    CONSTRAINT delivery_event_kind CHECK (kind IN ('sent', 'deferred', 'refused', 'delayed', 'bounced'))
);

CREATE INDEX delivery_event_invitation ON delivery_event (invitation_id, id);

CREATE UNIQUE INDEX delivery_event_reported ON delivery_event (message_id, kind) WHERE kind IN ('delayed', 'bounced');

CREATE TABLE kept_mail (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    message_id TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    content BYTEA NOT NULL,
    kept_at TIMESTAMPTZ NOT NULL
);

CREATE UNIQUE INDEX kept_mail_message_id ON kept_mail (message_id);

CREATE INDEX kept_mail_recipient ON kept_mail (recipient);

CREATE TABLE audit_event (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    account_id BIGINT,
    actor_id BIGINT,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    facts TEXT NOT NULL,
    FOREIGN KEY (account_id) REFERENCES account (id),
    FOREIGN KEY (actor_id) REFERENCES user_ (id)
);

CREATE INDEX audit_event_account ON audit_event (account_id, at, id);

CREATE INDEX audit_event_subject ON audit_event (subject, id);

CREATE TABLE webhook_event (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL,
    kind TEXT NOT NULL,
    received_at TIMESTAMPTZ NOT NULL
);

CREATE UNIQUE INDEX webhook_event_reference ON webhook_event (reference);

CREATE INDEX webhook_event_received_at ON webhook_event (received_at);

CREATE TABLE sync_state (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    through_at TIMESTAMPTZ,
    began_at TIMESTAMPTZ,
    after TEXT NOT NULL
);

CREATE UNIQUE INDEX sync_state_source ON sync_state (source);

CREATE TABLE invoice_copy (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    invoice_id BIGINT NOT NULL,
    digest TEXT NOT NULL,
    inputs TEXT NOT NULL,
    made_on DATE NOT NULL,
    made_at TIMESTAMPTZ NOT NULL,
    pdf BYTEA,
    sha256 TEXT,
    rendered_at TIMESTAMPTZ,
    FOREIGN KEY (invoice_id) REFERENCES invoice (id),
    CONSTRAINT invoice_copy_rendered CHECK ((pdf IS NULL) = (sha256 IS NULL) AND (pdf IS NULL) = (rendered_at IS NULL))
);

CREATE UNIQUE INDEX invoice_copy_invoice_id_digest ON invoice_copy (invoice_id, digest);

CREATE TABLE reconciliation (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    month_on DATE NOT NULL,
    asked_at TIMESTAMPTZ NOT NULL,
    asked_by_id BIGINT,
    finished_at TIMESTAMPTZ,
    found TEXT,
    FOREIGN KEY (asked_by_id) REFERENCES user_ (id),
    CONSTRAINT reconciliation_finished CHECK ((finished_at IS NULL) = (found IS NULL))
);

CREATE INDEX reconciliation_month_on_id ON reconciliation (month_on, id);

CREATE UNIQUE INDEX reconciliation_one_under_way ON reconciliation (month_on) WHERE finished_at IS NULL;

CREATE TABLE simulated_payment (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL,
    currency TEXT NOT NULL,
    captured_minor BIGINT NOT NULL,
    fate TEXT NOT NULL,
    is_asking BOOLEAN NOT NULL,
    CONSTRAINT simulated_payment_captured CHECK (captured_minor > 0),
    CONSTRAINT simulated_payment_fate CHECK (fate IN ('succeeds', 'fails', 'is canceled', 'comes back', 'stays'))
);

CREATE UNIQUE INDEX simulated_payment_reference ON simulated_payment (reference);

CREATE TABLE simulated_refund (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL,
    payment_id BIGINT NOT NULL,
    refund_key TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (payment_id) REFERENCES simulated_payment (id),
    CONSTRAINT simulated_refund_amount CHECK (amount_minor > 0),
    CONSTRAINT simulated_refund_state CHECK (state IN ('pending', 'requires_action', 'succeeded', 'failed', 'canceled'))
);

CREATE UNIQUE INDEX simulated_refund_reference ON simulated_refund (reference);

CREATE INDEX simulated_refund_payment_id ON simulated_refund (payment_id);

CREATE INDEX simulated_refund_refund_key ON simulated_refund (refund_key);

CREATE TABLE simulated_key (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    refund_id BIGINT,
    created_at TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (refund_id) REFERENCES simulated_refund (id)
);

CREATE UNIQUE INDEX simulated_key_key ON simulated_key (key);

CREATE INDEX simulated_key_refund_id ON simulated_key (refund_id);

CREATE TABLE simulated_subscription (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL,
    is_canceled BOOLEAN NOT NULL,
    ends_with_period BOOLEAN NOT NULL,
    is_ended_by_us BOOLEAN NOT NULL
);

CREATE UNIQUE INDEX simulated_subscription_reference ON simulated_subscription (reference);

CREATE TABLE simulated_credit (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    reference TEXT NOT NULL,
    customer TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    key TEXT NOT NULL,
    CONSTRAINT simulated_credit_amount CHECK (amount_minor > 0)
);

CREATE UNIQUE INDEX simulated_credit_reference ON simulated_credit (reference);

CREATE UNIQUE INDEX simulated_credit_customer_key ON simulated_credit (customer, key);

CREATE TABLE simulated_fault (
    id BIGSERIAL NOT NULL PRIMARY KEY,
    call TEXT NOT NULL,
    fault TEXT NOT NULL,
    used_at TIMESTAMPTZ,
    CONSTRAINT simulated_fault_fault CHECK (fault IN ('never sent', 'answer lost', 'key forgotten', 'error', 'busy', 'refused'))
);

CREATE TABLE kv (
    queue VARCHAR(255) NOT NULL,
    key VARCHAR(255) NOT NULL,
    value BYTEA NOT NULL,
    PRIMARY KEY (queue, key)
);

CREATE TABLE schedule (
    id SERIAL NOT NULL PRIMARY KEY,
    queue VARCHAR(255) NOT NULL,
    data BYTEA NOT NULL,
    timestamp BIGINT NOT NULL
);

CREATE INDEX schedule_queue_timestamp ON schedule (queue, timestamp);

CREATE TABLE task (
    id SERIAL NOT NULL PRIMARY KEY,
    queue VARCHAR(255) NOT NULL,
    data BYTEA NOT NULL,
    priority REAL NOT NULL
);

CREATE INDEX task_priority_id ON task (priority DESC, id);

CREATE TABLE counter (
    queue VARCHAR(255) NOT NULL,
    key VARCHAR(255) NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (queue, key)
);
