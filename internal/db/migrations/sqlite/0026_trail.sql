-- +goose Up
-- A sheet of the trail is one event of the kind "trail" with its body.
ALTER TABLE security_event ADD COLUMN body BLOB;

-- Whom an event with a body is about: to be found by patient. The events are chained, this
-- is not.
CREATE TABLE event_patient (
  patient TEXT    NOT NULL,
  at      INTEGER NOT NULL,
  seq     INTEGER NOT NULL,
  PRIMARY KEY (patient, at, seq)
) WITHOUT ROWID;
CREATE INDEX event_patient_at ON event_patient (at);
CREATE INDEX security_event_patient ON security_event (patient, at, seq) WHERE patient <> '';

-- Where the chain begins after its beginning was removed: the last place that is gone, with
-- a seal over it that only the server can make.
CREATE TABLE event_anchor (
  place INTEGER NOT NULL PRIMARY KEY,
  link  BLOB    NOT NULL,
  seal  BLOB    NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE event_anchor;
DROP INDEX security_event_patient;
DROP TABLE event_patient;
ALTER TABLE security_event DROP COLUMN body;
