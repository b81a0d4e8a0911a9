-- +goose Up
-- Authorization requests that a client has pushed and no browser has brought yet.
CREATE TABLE pushed_request (
  reference_hash BLOB    NOT NULL PRIMARY KEY,
  client_id      TEXT    NOT NULL,
  asked          TEXT    NOT NULL,
  expires        INTEGER NOT NULL,
  used           INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX pushed_request_client ON pushed_request (client_id, expires);
CREATE INDEX pushed_request_expires ON pushed_request (expires);

-- +goose Down
DROP TABLE pushed_request;
