-- +goose Up
-- Apps that registered themselves: what an operator has set, and how far the review
-- is. Those that are there were let in by a token, which was the decision.
ALTER TABLE client ADD COLUMN operator_set INTEGER NOT NULL DEFAULT 0;
ALTER TABLE client ADD COLUMN review       TEXT    NOT NULL DEFAULT '';
CREATE INDEX client_review ON client (review) WHERE review IN ('registered', 'asked', 'verified');
UPDATE client SET review = 'enabled', body = json_set(body, '$.review', json_object('registered_at', json_extract(body, '$.created_at'), 'enabled_at', json_extract(body, '$.created_at')))
WHERE self_registered = 1 AND removed = 0;
UPDATE client SET operator_set = 1
WHERE self_registered = 1 AND removed = 0 AND id IN (
  SELECT client_id FROM security_event WHERE actor = 'operator' AND kind IN ('client.changed', 'client.enabled', 'client.secret-rotated', 'client.imported'));

-- +goose Down
UPDATE client SET body = json_remove(body, '$.review', '$.ceiling');
DROP INDEX client_review;
ALTER TABLE client DROP COLUMN review;
ALTER TABLE client DROP COLUMN operator_set;
