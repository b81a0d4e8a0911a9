-- +goose Up
-- A code that carries its grant can be used up by one for whom it is not: then the
-- grant is written as one that has ended, and that is told like any other end.
-- +goose StatementBegin
CREATE TRIGGER grant_never_given AFTER INSERT ON authorization_grant
WHEN NEW.revoked > 0
BEGIN
  INSERT INTO change_feed (at, kind, id) VALUES (NEW.revoked, 'grant-revoked', NEW.id);
  INSERT INTO security_event (at, kind, actor, client_id, patient, grant_id, outcome, detail)
  VALUES (NEW.revoked, 'grant.ended', NEW.revoked_by, NEW.client_id, NEW.patient, NEW.id, 'ok', NEW.revoked_for);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER grant_never_given;
