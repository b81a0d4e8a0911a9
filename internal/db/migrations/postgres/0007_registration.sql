-- +goose Up
-- Clients that register and manage themselves (RFC 7591, RFC 7592). A removed
-- client leaves its row, so that its id is never given again.
ALTER TABLE client ADD COLUMN version BIGINT  NOT NULL DEFAULT 1;
ALTER TABLE client ADD COLUMN registration_hash BYTEA NOT NULL DEFAULT '';
ALTER TABLE client ADD COLUMN self_registered BIGINT  NOT NULL DEFAULT 0;
ALTER TABLE client ADD COLUMN registered BIGINT  NOT NULL DEFAULT 0;
ALTER TABLE client ADD COLUMN removed BIGINT  NOT NULL DEFAULT 0;
CREATE INDEX client_self_registered ON client (registered) WHERE self_registered = 1;

CREATE TABLE initial_access_token (
  id      TEXT    COLLATE "C" NOT NULL PRIMARY KEY,
  hash    BYTEA   NOT NULL UNIQUE,
  note    TEXT    COLLATE "C" NOT NULL,
  uses    BIGINT  NOT NULL,
  created BIGINT  NOT NULL,
  expires BIGINT  NOT NULL
);
CREATE INDEX initial_access_token_expires ON initial_access_token (expires);

-- +goose Down
DROP TABLE initial_access_token;
DROP INDEX client_self_registered;
ALTER TABLE client DROP COLUMN removed;
ALTER TABLE client DROP COLUMN registered;
ALTER TABLE client DROP COLUMN self_registered;
ALTER TABLE client DROP COLUMN registration_hash;
ALTER TABLE client DROP COLUMN version;
