-- +goose Up
-- Apps that an EHR has started and that have not asked for authorization yet.
CREATE TABLE launch (
  handle_hash BLOB    NOT NULL PRIMARY KEY,
  client_id   TEXT    NOT NULL,
  user_id     TEXT    NOT NULL,
  context     TEXT    NOT NULL,
  expires     INTEGER NOT NULL,
  used        INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX launch_expires ON launch (expires);

-- +goose Down
DROP TABLE launch;
