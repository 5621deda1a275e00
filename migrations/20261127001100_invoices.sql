-- Commission invoices, as the API shows them. `doc` is the folded invoice.
CREATE TABLE read.invoices (
    invoice_id       uuid    PRIMARY KEY,
    site_id          uuid    NOT NULL,
    status           text    NOT NULL,
    amount           bigint  NOT NULL,
    doc              jsonb   NOT NULL,
    version          integer NOT NULL,
    position         bigint  NOT NULL,
    created_position bigint  NOT NULL UNIQUE
);
CREATE INDEX invoices_site ON read.invoices (site_id, created_position);

INSERT INTO read.views (projector, name) VALUES ('invoice', 'invoices');
