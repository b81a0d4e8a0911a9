-- +goose Up
-- The life of a signing key is three times, written when they are decided. Until
-- now every key signed from its creation on, and none had an end.
ALTER TABLE signing_key ADD COLUMN signs_from BIGINT NOT NULL DEFAULT 0;
ALTER TABLE signing_key ADD COLUMN verifies_until BIGINT NOT NULL DEFAULT 0;
UPDATE signing_key SET signs_from = created;
ALTER TABLE signing_key DROP COLUMN state;

-- +goose Down
ALTER TABLE signing_key ADD COLUMN state TEXT COLLATE "C" NOT NULL DEFAULT 'signing';
DELETE FROM signing_key WHERE verifies_until > 0;
ALTER TABLE signing_key DROP COLUMN verifies_until;
ALTER TABLE signing_key DROP COLUMN signs_from;
