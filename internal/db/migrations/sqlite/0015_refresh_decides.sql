-- +goose Up
-- What one statement needs to decide about a refresh: the scopes of a grant in words
-- that are compared without understanding them, and who leads to whom in the records.
ALTER TABLE authorization_grant ADD COLUMN holding TEXT NOT NULL DEFAULT 'null';
-- Grants of before are completed when the server starts.
CREATE INDEX authorization_grant_unheld ON authorization_grant (id) WHERE holding = 'null' AND refresh_kind <> '' AND revoked = 0;

CREATE TABLE fhir_tie (
  rid      INTEGER NOT NULL,
  agent    TEXT    NOT NULL,
  leads_to TEXT    NOT NULL,
  since    INTEGER NOT NULL,
  until    INTEGER NOT NULL
);
CREATE INDEX fhir_tie_rid ON fhir_tie (rid);
CREATE INDEX fhir_tie_leads_to ON fhir_tie (leads_to, agent, since, until);

-- Resources of before whose ties are found when the server starts.
CREATE TABLE fhir_untied (rid INTEGER NOT NULL PRIMARY KEY);
INSERT INTO fhir_untied SELECT rid FROM fhir_resource WHERE deleted = 0 AND type IN ('Patient', 'PractitionerRole', 'CareTeam', 'Group');

-- Who has lost a patient is asked again, whatever was remembered.
-- +goose StatementBegin
CREATE TRIGGER grant_lost AFTER UPDATE OF revoked ON authorization_grant
WHEN OLD.revoked = 0 AND NEW.revoked > 0 AND NEW.outcome = 'lost'
BEGIN
  DELETE FROM remembered_consent WHERE user_id = NEW.user_id AND client_id = NEW.client_id;
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER grant_lost;
DROP TABLE fhir_untied;
DROP TABLE fhir_tie;
DROP INDEX authorization_grant_unheld;
ALTER TABLE authorization_grant DROP COLUMN holding;
