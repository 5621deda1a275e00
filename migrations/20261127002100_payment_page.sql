-- Orange's web payment tells of a page by its token alone: our ids of its pages begin with a hash of it.
CREATE INDEX payments_page ON work.payments (left(provider_id, 25)) WHERE provider_id LIKE 'om-%';
