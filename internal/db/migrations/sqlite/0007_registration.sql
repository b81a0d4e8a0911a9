-- +goose Up
-- Clients that register and manage themselves (RFC 7591, RFC 7592). A removed
-- client leaves its row, so that its id is never given again.
ALTER TABLE client ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE client ADD COLUMN registration_hash BLOB NOT NULL DEFAULT x'';
ALTER TABLE client ADD COLUMN self_registered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE client ADD COLUMN registered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE client ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX client_self_registered ON client (registered) WHERE self_registered = 1;

CREATE TABLE initial_access_token (
  id      TEXT    NOT NULL PRIMARY KEY,
  hash    BLOB   NOT NULL UNIQUE,
  note    TEXT    NOT NULL,
  uses    INTEGER NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX initial_access_token_expires ON initial_access_token (expires);

-- +goose Down
DROP TABLE initial_access_token;
DROP INDEX client_self_registered;
ALTER TABLE client DROP COLUMN removed;
ALTER TABLE client DROP COLUMN registered;
ALTER TABLE client DROP COLUMN self_registered;
ALTER TABLE client DROP COLUMN registration_hash;
ALTER TABLE client DROP COLUMN version;
