-- +goose Up
-- Records that were opened in an emergency: by whom, whose, why and until when.
CREATE TABLE emergency (
  id        TEXT    NOT NULL PRIMARY KEY,
  user_id   TEXT    NOT NULL,
  patient   TEXT    NOT NULL,
  reason    TEXT    NOT NULL,
  client_id TEXT    NOT NULL,
  opened    INTEGER NOT NULL,
  ends      INTEGER NOT NULL,
  ended     INTEGER NOT NULL DEFAULT 0,
  ended_by  TEXT    NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX emergency_user ON emergency (user_id, ends);
CREATE INDEX emergency_ends ON emergency (ends);

-- +goose Down
DROP TABLE emergency;
