-- When an endpoint was pinged last: somebody's address is not knocked at as often as somebody else likes.
ALTER TABLE work.endpoint_queues ADD COLUMN pinged_at timestamptz;
