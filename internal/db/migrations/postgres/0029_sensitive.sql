-- +goose Up
-- Which of the operator's categories of sensitive content a resource holds: by its own
-- content, and with what it derives from. '?': nobody has looked, so it is withheld from
-- everybody from whom anything is (internal/fhirstore/fhirsql/doc.go).
ALTER TABLE fhir_resource ADD COLUMN classified TEXT NOT NULL DEFAULT '?';
ALTER TABLE fhir_resource ADD COLUMN sensitive  TEXT NOT NULL DEFAULT '?';
ALTER TABLE fhir_version  ADD COLUMN sensitive  TEXT NOT NULL DEFAULT '?';

-- By which configuration all of them were classified; empty: not all by one.
CREATE TABLE fhir_classified (one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), identity TEXT NOT NULL);
INSERT INTO fhir_classified (one, identity) VALUES (1, '');

-- +goose Down
DROP TABLE fhir_classified;
ALTER TABLE fhir_version DROP COLUMN sensitive;
ALTER TABLE fhir_resource DROP COLUMN sensitive;
ALTER TABLE fhir_resource DROP COLUMN classified;
