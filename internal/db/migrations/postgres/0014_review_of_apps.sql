-- +goose Up
-- Apps that registered themselves: what an operator has set, and how far the review
-- is. Those that are there were let in by a token, which was the decision.
ALTER TABLE client ADD COLUMN operator_set BIGINT  NOT NULL DEFAULT 0;
ALTER TABLE client ADD COLUMN review       TEXT    COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX client_review ON client (review) WHERE review IN ('registered', 'asked', 'verified');
UPDATE client SET review = 'enabled', body = jsonb_set(body::jsonb, '{review}', jsonb_build_object('registered_at', body::jsonb -> 'created_at', 'enabled_at', body::jsonb -> 'created_at'))::text
WHERE self_registered = 1 AND removed = 0;
UPDATE client SET operator_set = 1
WHERE self_registered = 1 AND removed = 0 AND id IN (
  SELECT client_id FROM security_event WHERE actor = 'operator' AND kind IN ('client.changed', 'client.enabled', 'client.secret-rotated', 'client.imported'));

-- +goose Down
UPDATE client SET body = (body::jsonb - 'review' - 'ceiling')::text;
DROP INDEX client_review;
ALTER TABLE client DROP COLUMN review;
ALTER TABLE client DROP COLUMN operator_set;
