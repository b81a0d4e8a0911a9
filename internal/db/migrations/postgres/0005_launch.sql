-- +goose Up
-- Apps that an EHR has started and that have not asked for authorization yet.
CREATE TABLE launch (
  handle_hash BYTEA    NOT NULL PRIMARY KEY,
  client_id   TEXT     COLLATE "C" NOT NULL,
  user_id     TEXT     COLLATE "C" NOT NULL,
  context     TEXT     COLLATE "C" NOT NULL,
  expires     BIGINT   NOT NULL,
  used        BIGINT   NOT NULL DEFAULT 0
);
CREATE INDEX launch_expires ON launch (expires);

-- +goose Down
DROP TABLE launch;
