-- +goose Up
-- A code that carries its grant can be used up by one for whom it is not: then the
-- grant is written as one that has ended, and that is told like any other end.
CREATE TRIGGER grant_never_given AFTER INSERT ON authorization_grant
FOR EACH ROW WHEN (NEW.revoked > 0) EXECUTE FUNCTION tell_grant_revoked();

-- +goose Down
DROP TRIGGER grant_never_given ON authorization_grant;
