-- Promo codes: what each gives, and how much of it is given.
CREATE TABLE read.promotions (
    promotion_id     uuid    PRIMARY KEY,
    -- NULL for one of every site.
    site_id          uuid,
    doc              jsonb   NOT NULL,
    version          integer NOT NULL,
    position         bigint  NOT NULL,
    created_position bigint  NOT NULL UNIQUE
);
CREATE INDEX promotions_site ON read.promotions (site_id, created_position);

INSERT INTO read.views (projector, name) VALUES ('promotion', 'promotions');
