-- +goose Up
-- Assertions by which clients have proven themselves, until nobody can present
-- them any more. id_hash is of the client and its jti.
CREATE TABLE used_assertion (
  id_hash BYTEA   NOT NULL PRIMARY KEY,
  expires BIGINT  NOT NULL
);
CREATE INDEX used_assertion_expires ON used_assertion (expires);

-- A backend service has one standing grant, which has no user.
CREATE UNIQUE INDEX authorization_grant_standing ON authorization_grant (client_id) WHERE user_id = '' AND revoked = 0;

-- +goose Down
DROP INDEX authorization_grant_standing;
DROP TABLE used_assertion;
