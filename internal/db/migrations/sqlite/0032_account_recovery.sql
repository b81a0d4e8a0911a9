-- +goose Up
-- The recovery code of an account, as a hash: one for each, so that a new one takes the
-- place of the last.
CREATE TABLE account_recovery (
  user_id    TEXT    NOT NULL PRIMARY KEY,
  code_hash  BLOB    NOT NULL UNIQUE,
  created    INTEGER NOT NULL,
  expires    INTEGER NOT NULL,
  disconnect INTEGER NOT NULL,
  tries      INTEGER NOT NULL DEFAULT 0,
  used       INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- +goose Down
DROP TABLE account_recovery;
