-- +goose Up
-- A second factor of people with accounts. second_factor of an account is when it was set
-- up, 0: there is none; it is read with the session. The secret is sealed.
ALTER TABLE account ADD COLUMN second_factor INTEGER NOT NULL DEFAULT 0;

CREATE TABLE second_factor (
  user_id   TEXT    NOT NULL PRIMARY KEY,
  sealed    BLOB    NOT NULL,
  last_step INTEGER NOT NULL,
  confirmed INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE backup_code (
  user_id TEXT    NOT NULL,
  hash    BLOB    NOT NULL,
  used    INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, hash)
) WITHOUT ROWID;

-- Who has proven a password and owes a second factor. No session: nothing but the second
-- step reads it.
CREATE TABLE half_session (
  id_hash BLOB    NOT NULL PRIMARY KEY,
  user_id TEXT    NOT NULL,
  amr     TEXT    NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX half_session_user ON half_session (user_id);
CREATE INDEX half_session_expires ON half_session (expires);

-- +goose Down
DROP TABLE half_session;
DROP TABLE backup_code;
DROP TABLE second_factor;
ALTER TABLE account DROP COLUMN second_factor;
