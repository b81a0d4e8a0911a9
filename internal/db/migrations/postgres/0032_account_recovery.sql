-- +goose Up
-- The recovery code of an account, as a hash: one for each, so that a new one takes the
-- place of the last.
CREATE TABLE account_recovery (
  user_id    TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
  code_hash  BYTEA  NOT NULL UNIQUE,
  created    BIGINT NOT NULL,
  expires    BIGINT NOT NULL,
  disconnect BIGINT NOT NULL,
  tries      BIGINT NOT NULL DEFAULT 0,
  used       BIGINT NOT NULL DEFAULT 0
);

-- +goose Down
DROP TABLE account_recovery;
