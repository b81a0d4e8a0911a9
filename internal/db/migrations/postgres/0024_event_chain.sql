-- +goose Up
-- Events in the order in which they were chained; each link is an HMAC over the
-- event, its place and the link before.
CREATE TABLE event_chain (
  place BIGINT NOT NULL PRIMARY KEY,
  seq   BIGINT NOT NULL UNIQUE,
  link  BYTEA  NOT NULL
);

-- Events that wait for their place: written with the event, in its transaction.
CREATE TABLE event_unchained (seq BIGINT NOT NULL PRIMARY KEY);
INSERT INTO event_unchained SELECT seq FROM security_event;

-- +goose StatementBegin
CREATE FUNCTION event_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO event_unchained (seq) VALUES (NEW.seq);
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER event_waits AFTER INSERT ON security_event FOR EACH ROW EXECUTE FUNCTION event_waits();
-- +goose StatementBegin
CREATE FUNCTION event_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'events are only added';
END $$;
-- +goose StatementEnd
CREATE TRIGGER event_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON security_event FOR EACH STATEMENT EXECUTE FUNCTION event_unchanged();

-- +goose Down
DROP TRIGGER event_unchanged ON security_event;
DROP FUNCTION event_unchanged;
DROP TRIGGER event_waits ON security_event;
DROP FUNCTION event_waits;
DROP TABLE event_unchained;
DROP TABLE event_chain;
