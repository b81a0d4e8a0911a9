-- +goose Up
-- Requests of one person count against a cap of that person's own.
ALTER TABLE authorization_request ADD COLUMN user_id TEXT NOT NULL DEFAULT '';
CREATE INDEX authorization_request_user ON authorization_request (user_id, created) WHERE user_id <> '';
-- The clients that are there were added by the operator.
UPDATE client SET body = json_set(body, '$.trusted', json('true'));

-- +goose Down
UPDATE client SET body = json_remove(body, '$.trusted');
DROP INDEX authorization_request_user;
ALTER TABLE authorization_request DROP COLUMN user_id;
