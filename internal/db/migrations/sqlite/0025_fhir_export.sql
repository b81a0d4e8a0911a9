-- +goose Up
-- Exports that clients asked for: the question, and how it was divided into files. No
-- content of a resource is here. Columns are explained in internal/fhirstore/export.go.
CREATE TABLE fhir_export (
  id       TEXT NOT NULL PRIMARY KEY,
  client   TEXT NOT NULL,
  at       INTEGER NOT NULL,
  expires  INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  counted  INTEGER NOT NULL,
  asked    TEXT NOT NULL,
  progress TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX fhir_export_client  ON fhir_export (client, expires);
CREATE INDEX fhir_export_expires ON fhir_export (expires);

-- +goose Down
DROP TABLE fhir_export;
