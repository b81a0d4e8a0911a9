-- +goose Up
-- When each grant was last used. A table of its own, so that noting it never waits for
-- a refresh of the same grant.
CREATE TABLE grant_use (
  grant_id TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
  used     BIGINT NOT NULL
);

-- +goose Down
DROP TABLE grant_use;
