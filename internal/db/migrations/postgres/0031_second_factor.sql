-- +goose Up
-- A second factor of people with accounts. second_factor of an account is when it was set
-- up, 0: there is none; it is read with the session. The secret is sealed.
ALTER TABLE account ADD COLUMN second_factor BIGINT NOT NULL DEFAULT 0;

CREATE TABLE second_factor (
  user_id   TEXT    COLLATE "C" NOT NULL PRIMARY KEY,
  sealed    BYTEA   NOT NULL,
  last_step BIGINT NOT NULL,
  confirmed BIGINT NOT NULL
);

CREATE TABLE backup_code (
  user_id TEXT    COLLATE "C" NOT NULL,
  hash    BYTEA   NOT NULL,
  used    BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, hash)
);

-- Who has proven a password and owes a second factor. No session: nothing but the second
-- step reads it.
CREATE TABLE half_session (
  id_hash BYTEA   NOT NULL PRIMARY KEY,
  user_id TEXT    COLLATE "C" NOT NULL,
  amr     TEXT    COLLATE "C" NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL
);
CREATE INDEX half_session_user ON half_session (user_id);
CREATE INDEX half_session_expires ON half_session (expires);

-- +goose Down
DROP TABLE half_session;
DROP TABLE backup_code;
DROP TABLE second_factor;
ALTER TABLE account DROP COLUMN second_factor;
