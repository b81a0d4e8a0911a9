-- +goose Up
-- Events in the order in which they were chained; each link is an HMAC over the
-- event, its place and the link before.
CREATE TABLE event_chain (
  place INTEGER NOT NULL PRIMARY KEY,
  seq   INTEGER NOT NULL UNIQUE,
  link  BLOB    NOT NULL
) WITHOUT ROWID;

-- Events that wait for their place: written with the event, in its transaction.
CREATE TABLE event_unchained (seq INTEGER NOT NULL PRIMARY KEY);
INSERT INTO event_unchained SELECT seq FROM security_event;

-- +goose StatementBegin
CREATE TRIGGER event_waits AFTER INSERT ON security_event
BEGIN
  INSERT INTO event_unchained (seq) VALUES (NEW.seq);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_unchanged BEFORE UPDATE ON security_event
BEGIN
  SELECT RAISE(ABORT, 'events are only added');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_kept BEFORE DELETE ON security_event
BEGIN
  SELECT RAISE(ABORT, 'events are only added');
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER event_kept;
DROP TRIGGER event_unchanged;
DROP TRIGGER event_waits;
DROP TABLE event_unchained;
DROP TABLE event_chain;
