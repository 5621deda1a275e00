-- One table per file of the crate `projections`. `doc` is the resource as the program reads it; the columns beside it
-- are what is searched and sorted by. Positions say which event a row comes from.

CREATE TABLE read.sites (
    site_id          uuid    PRIMARY KEY,
    slug             text    NOT NULL UNIQUE,
    manager_id       uuid    NOT NULL,
    -- WGS 84. Null when nobody knows: such a site is in no search by distance.
    location         geography(Point, 4326),
    footprint        geography(Polygon, 4326),
    -- Name, city, address and slug without case and accents.
    words            text    NOT NULL,
    formats          text[]  NOT NULL,
    -- Lowest and highest price of an hour by the tariffs, in minor units; null without a tariff.
    hour_from        bigint,
    hour_to          bigint,
    -- The folded site without the manager's contact, which is never here.
    doc              jsonb   NOT NULL,
    created_at       timestamptz NOT NULL,
    version          integer NOT NULL,
    position         bigint  NOT NULL,
    created_position bigint  NOT NULL
);
CREATE INDEX sites_location ON read.sites USING gist (location);
CREATE INDEX sites_footprint ON read.sites USING gist (footprint);
CREATE INDEX sites_words ON read.sites USING gin (words gin_trgm_ops);
CREATE INDEX sites_manager ON read.sites (manager_id);
CREATE INDEX sites_created ON read.sites (created_position, site_id);

-- What stands on each cell: one row per open claim and cell. A copy of the guard's open claims, made by the same pure
-- function of the events, so the same rule must hold: no two claims overlap on a cell.
CREATE TABLE read.schedule (
    cell_id       uuid      NOT NULL,
    during        tstzrange NOT NULL CHECK (NOT isempty(during)),
    site_id       uuid      NOT NULL,
    holder        uuid      NOT NULL,
    kind          text      NOT NULL CHECK (kind IN ('reservation', 'closure')),
    -- From when the claim no longer blocks; null when it is firm.
    releasable_at timestamptz,
    position      bigint    NOT NULL,
    PRIMARY KEY (holder, cell_id),
    EXCLUDE USING gist (cell_id WITH =, during WITH &&)
);
CREATE INDEX schedule_site ON read.schedule USING gist (site_id, during);

-- The position that last changed the schedule of a site on a UTC day: part of the key under which answers are cached.
CREATE TABLE read.schedule_days (
    site_id  uuid   NOT NULL,
    day      date   NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (site_id, day)
);

CREATE TABLE read.reservations (
    reservation_id   uuid        PRIMARY KEY,
    site_id          uuid        NOT NULL,
    pitch_id         uuid        NOT NULL,
    cells            uuid[]      NOT NULL,
    client_id        uuid,
    placed_by        uuid,
    status           text        NOT NULL,
    code             text        NOT NULL,
    -- The time played, [starts_at, ends_at).
    starts_at        timestamptz NOT NULL,
    ends_at          timestamptz NOT NULL,
    doc              jsonb       NOT NULL,
    version          integer     NOT NULL,
    position         bigint      NOT NULL,
    created_position bigint      NOT NULL UNIQUE,
    UNIQUE (site_id, code)
);
CREATE INDEX reservations_client ON read.reservations (client_id, created_position) WHERE client_id IS NOT NULL;
CREATE INDEX reservations_placed_by ON read.reservations (placed_by, created_position) WHERE placed_by IS NOT NULL;
CREATE INDEX reservations_site ON read.reservations (site_id, created_position);
CREATE INDEX reservations_day ON read.reservations (site_id, starts_at, reservation_id);

CREATE TABLE read.payments (
    payment_id       uuid    PRIMARY KEY,
    reservation_id   uuid    NOT NULL,
    site_id          uuid    NOT NULL,
    client_id        uuid,
    status           text    NOT NULL,
    method           text    NOT NULL,
    reference        text    NOT NULL,
    provider_id      text,
    transaction      text,
    doc              jsonb   NOT NULL,
    version          integer NOT NULL,
    position         bigint  NOT NULL,
    created_position bigint  NOT NULL UNIQUE
);
CREATE INDEX payments_reservation ON read.payments (reservation_id, created_position);
CREATE INDEX payments_reference ON read.payments (reference);
CREATE INDEX payments_provider ON read.payments (provider_id) WHERE provider_id IS NOT NULL;

CREATE TABLE read.refunds (
    refund_id        uuid    PRIMARY KEY,
    payment_id       uuid    NOT NULL,
    reservation_id   uuid    NOT NULL,
    site_id          uuid    NOT NULL,
    client_id        uuid,
    status           text    NOT NULL,
    -- Minor units; what has reached the client when the status is `succeeded`.
    amount           bigint  NOT NULL,
    doc              jsonb   NOT NULL,
    version          integer NOT NULL,
    position         bigint  NOT NULL,
    created_position bigint  NOT NULL UNIQUE
);
CREATE INDEX refunds_reservation ON read.refunds (reservation_id, created_position);
CREATE INDEX refunds_payment ON read.refunds (payment_id, created_position);
CREATE INDEX refunds_waiting ON read.refunds (created_position) WHERE status = 'requested';

-- Personal fields as ciphertext only; the number is found by its keyed hash.
CREATE TABLE read.clients (
    client_id        uuid    PRIMARY KEY,
    phone_hash       text    NOT NULL UNIQUE,
    doc              jsonb   NOT NULL,
    version          integer NOT NULL,
    position         bigint  NOT NULL,
    created_position bigint  NOT NULL
);

CREATE TABLE read.keys (
    key_id           uuid    PRIMARY KEY,
    secret_hash      text    NOT NULL UNIQUE,
    principal_id     uuid    NOT NULL,
    doc              jsonb   NOT NULL,
    version          integer NOT NULL,
    position         bigint  NOT NULL,
    created_position bigint  NOT NULL
);
CREATE INDEX keys_principal ON read.keys (principal_id);
