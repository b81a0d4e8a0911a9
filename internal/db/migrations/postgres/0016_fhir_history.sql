-- +goose Up
-- History is read the newest first, of one type or of all (FHIR R4 http, history).
CREATE INDEX fhir_version_updated ON fhir_version (type, updated, id, version);

-- +goose Down
DROP INDEX fhir_version_updated;
