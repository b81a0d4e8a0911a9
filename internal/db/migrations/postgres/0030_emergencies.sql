-- +goose Up
-- Records that were opened in an emergency: by whom, whose, why and until when.
CREATE TABLE emergency (
  id        TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
  user_id   TEXT   COLLATE "C" NOT NULL,
  patient   TEXT   COLLATE "C" NOT NULL,
  reason    TEXT   COLLATE "C" NOT NULL,
  client_id TEXT   COLLATE "C" NOT NULL,
  opened    BIGINT NOT NULL,
  ends      BIGINT NOT NULL,
  ended     BIGINT NOT NULL DEFAULT 0,
  ended_by  TEXT   COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX emergency_user ON emergency (user_id, ends);
CREATE INDEX emergency_ends ON emergency (ends);

-- +goose Down
DROP TABLE emergency;
