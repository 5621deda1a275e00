-- What happens afterwards: where each process manager stands, what it wants done outside, what providers told us.
-- Only ids and ciphertext: no personal field in the clear.
CREATE SCHEMA work;

-- A process manager's place in the log. The row lock of its step is the ownership.
CREATE TABLE work.checkpoints (
    process text PRIMARY KEY,
    position bigint NOT NULL CHECK (position >= 0)
);

-- Payments at providers by reservation and by the provider's id: the state of the process manager `money`.
CREATE TABLE work.payments (
    payment_id uuid PRIMARY KEY,
    reservation_id uuid NOT NULL,
    provider_id text,
    -- The provider may still say something that changes it.
    open boolean NOT NULL DEFAULT true
);
CREATE INDEX payments_open ON work.payments (reservation_id) WHERE open;
CREATE INDEX payments_provider ON work.payments (provider_id) WHERE provider_id IS NOT NULL;

-- An intent to act outside the log, durable before anything is called.
CREATE TABLE work.effects (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- <id of the causing event>:<kind>[:<whom>]
    key text NOT NULL UNIQUE,
    kind text NOT NULL,
    -- Effects of one payment, refund or reservation run one at a time.
    group_key uuid NOT NULL,
    -- Ids only.
    payload jsonb NOT NULL,
    -- By the engine's clock.
    due_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'ready'
        CHECK (state IN ('ready', 'running', 'done', 'dropped', 'failed', 'unknown')),
    attempts integer NOT NULL DEFAULT 0,
    -- Fencing token of the last lease.
    token bigint NOT NULL DEFAULT 0,
    -- By the database's clock: a lease measures how long a worker may hang, which no test clock shortens.
    leased_until timestamptz,
    -- Set before the provider is called: whoever finds it set asks the provider first, or for an SMS gives up.
    called_at timestamptz,
    last_error text,
    cause_position bigint NOT NULL,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    CHECK ((state = 'running') = (leased_until IS NOT NULL))
);
CREATE UNIQUE INDEX effects_one_at_a_time ON work.effects (group_key) WHERE state = 'running';
CREATE INDEX effects_due ON work.effects (due_at, id) WHERE state = 'ready';
CREATE INDEX effects_by_group ON work.effects (group_key, id) WHERE state IN ('ready', 'running');

-- What providers told us, kept before it is read. The body is ciphertext under the row's own key.
CREATE TABLE work.inbox (
    id uuid PRIMARY KEY,
    provider text NOT NULL,
    account text NOT NULL,
    event_id text NOT NULL,
    body text NOT NULL,
    received_at timestamptz NOT NULL,
    -- Null until it is dealt with; then for ever one of these.
    disposition text CHECK (disposition IN ('applied', 'duplicate', 'stale', 'parked', 'refused')),
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    note text,
    leased_until timestamptz,
    token bigint NOT NULL DEFAULT 0,
    finished_at timestamptz,
    UNIQUE (provider, event_id)
);
CREATE INDEX inbox_due ON work.inbox (due_at, received_at) WHERE finished_at IS NULL;

-- One at a time: who holds a role (the relay, a projector) and until when, by the database's clock.
CREATE TABLE work.leases (
    name text PRIMARY KEY,
    holder text NOT NULL,
    token bigint NOT NULL,
    until timestamptz NOT NULL
);
