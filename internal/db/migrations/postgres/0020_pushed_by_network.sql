-- +goose Up
-- Who has sent a pushed request, when that is counted.
ALTER TABLE pushed_request ADD COLUMN network TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX pushed_request_network ON pushed_request (network, client_id, expires) WHERE network <> '';

-- +goose Down
DROP INDEX pushed_request_network;
ALTER TABLE pushed_request DROP COLUMN network;
