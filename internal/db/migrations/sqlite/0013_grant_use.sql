-- +goose Up
-- When each grant was last used. A table of its own, so that noting it never waits for
-- a refresh of the same grant.
CREATE TABLE grant_use (
  grant_id TEXT    NOT NULL PRIMARY KEY,
  used     INTEGER NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE grant_use;
