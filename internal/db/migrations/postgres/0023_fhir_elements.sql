-- +goose Up
-- Resources of before whose index rows are made anew when the server starts: those of
-- elements, for composite parameters, and of the identifiers of references.
CREATE TABLE fhir_outdated (rid BIGINT NOT NULL PRIMARY KEY);
INSERT INTO fhir_outdated SELECT rid FROM fhir_resource;

-- +goose Down
DROP TABLE fhir_outdated;
DELETE FROM fhir_token WHERE rid < 0;
DELETE FROM fhir_reference WHERE rid < 0;
DELETE FROM fhir_number WHERE rid < 0;
