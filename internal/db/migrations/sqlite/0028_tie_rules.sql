-- +goose Up
-- The rules by which fhir_tie was written. Where they are others now, ties are found anew.
CREATE TABLE fhir_tie_rules (rules TEXT NOT NULL);

-- +goose Down
DROP TABLE fhir_tie_rules;
