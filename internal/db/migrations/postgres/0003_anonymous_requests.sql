-- +goose Up
-- An answered request that nobody has logged in to counts against the cap as well.
DROP INDEX authorization_request_pending;
CREATE INDEX authorization_request_anonymous ON authorization_request (created) WHERE anonymous = 1;

-- +goose Down
DROP INDEX authorization_request_anonymous;
CREATE INDEX authorization_request_pending ON authorization_request (created) WHERE answered = 0 AND anonymous = 1;
