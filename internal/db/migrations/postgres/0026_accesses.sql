-- +goose Up
-- A portion of the record of accesses is one event of the kind "accesses" with its body.
ALTER TABLE security_event ADD COLUMN body BYTEA;

-- Whom an event with a body is about: to be found by patient. The events are chained, this
-- is not.
CREATE TABLE event_patient (
  patient TEXT   COLLATE "C" NOT NULL,
  at      BIGINT NOT NULL,
  seq     BIGINT NOT NULL,
  PRIMARY KEY (patient, at, seq)
);
CREATE INDEX event_patient_at ON event_patient (at);
CREATE INDEX security_event_patient ON security_event (patient, at, seq) WHERE patient <> '';

-- Where the chain begins after its beginning was removed: the last place that is gone, with
-- a seal over it that only the server can make.
CREATE TABLE event_anchor (
  place BIGINT NOT NULL PRIMARY KEY,
  link  BYTEA  NOT NULL,
  seal  BYTEA  NOT NULL
);

DROP TRIGGER event_unchanged ON security_event;
CREATE TRIGGER event_unchanged BEFORE UPDATE OR TRUNCATE ON security_event FOR EACH STATEMENT EXECUTE FUNCTION event_unchanged();
-- +goose StatementBegin
CREATE FUNCTION event_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM event_anchor a, event_chain c WHERE c.seq = OLD.seq AND c.place <= a.place) THEN
    RAISE EXCEPTION 'events are only added';
  END IF;
  RETURN OLD;
END $$;
-- +goose StatementEnd
CREATE TRIGGER event_kept BEFORE DELETE ON security_event FOR EACH ROW EXECUTE FUNCTION event_kept();

-- +goose Down
DROP TRIGGER event_kept ON security_event;
DROP FUNCTION event_kept;
DROP TRIGGER event_unchanged ON security_event;
CREATE TRIGGER event_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON security_event FOR EACH STATEMENT EXECUTE FUNCTION event_unchanged();
DROP TABLE event_anchor;
DROP INDEX security_event_patient;
DROP TABLE event_patient;
ALTER TABLE security_event DROP COLUMN body;
