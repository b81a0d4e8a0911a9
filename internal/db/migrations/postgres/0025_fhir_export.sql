-- +goose Up
-- Exports that clients asked for: the question, and how it was divided into files. No
-- content of a resource is here. Columns are explained in internal/fhirstore/export.go.
CREATE TABLE fhir_export (
  id       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  client   TEXT COLLATE "C" NOT NULL,
  at       BIGINT NOT NULL,
  expires  BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  counted  BIGINT NOT NULL,
  asked    TEXT COLLATE "C" NOT NULL,
  progress TEXT COLLATE "C" NOT NULL
);
CREATE INDEX fhir_export_client  ON fhir_export (client, expires);
CREATE INDEX fhir_export_expires ON fhir_export (expires);

-- +goose Down
DROP TABLE fhir_export;
