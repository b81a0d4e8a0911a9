-- +goose Up
-- Authorization requests that a client has pushed and no browser has brought yet.
CREATE TABLE pushed_request (
  reference_hash BYTEA    NOT NULL PRIMARY KEY,
  client_id      TEXT     COLLATE "C" NOT NULL,
  asked          TEXT     COLLATE "C" NOT NULL,
  expires        BIGINT   NOT NULL,
  used           BIGINT   NOT NULL DEFAULT 0
);
CREATE INDEX pushed_request_client ON pushed_request (client_id, expires);
CREATE INDEX pushed_request_expires ON pushed_request (expires);

-- +goose Down
DROP TABLE pushed_request;
