-- +goose Up
-- The embedded FHIR store. Columns are explained in internal/fhirstore/fhirsql/doc.go.
CREATE TABLE fhir_resource (
  rid      INTEGER PRIMARY KEY,
  type     TEXT    NOT NULL,
  id       TEXT    NOT NULL,
  version  INTEGER NOT NULL,
  updated  INTEGER NOT NULL,
  deleted  INTEGER NOT NULL DEFAULT 0,
  owner    TEXT    NOT NULL DEFAULT '',
  source   BLOB    NOT NULL,
  body     BLOB    NOT NULL
);
CREATE UNIQUE INDEX fhir_resource_ref   ON fhir_resource (type, id);
CREATE INDEX        fhir_resource_owner ON fhir_resource (type, owner, id);

CREATE TABLE fhir_owner (
  rid     INTEGER NOT NULL,
  patient TEXT    NOT NULL,
  PRIMARY KEY (rid, patient)
) WITHOUT ROWID;

-- Which Binary a resource attaches; the owners of a Binary without a security
-- context follow from it.
CREATE TABLE fhir_attachment (
  rid    INTEGER NOT NULL,
  binary_id TEXT    NOT NULL,
  PRIMARY KEY (rid, binary_id)
) WITHOUT ROWID;
CREATE INDEX fhir_attachment_binary ON fhir_attachment (binary_id, rid);

CREATE TABLE fhir_version (
  type    TEXT    NOT NULL,
  id      TEXT    NOT NULL,
  version INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  deleted INTEGER NOT NULL DEFAULT 0,
  owners  TEXT    NOT NULL,
  body    BLOB    NOT NULL,
  PRIMARY KEY (type, id, version)
) WITHOUT ROWID;

CREATE TABLE fhir_token (
  rid    INTEGER NOT NULL,
  param  INTEGER NOT NULL,
  system TEXT    NOT NULL,
  code   TEXT    NOT NULL
);
CREATE INDEX fhir_token_rid  ON fhir_token (rid, param, code, system);
CREATE INDEX fhir_token_code ON fhir_token (param, code, system, rid);

CREATE TABLE fhir_reference (
  rid       INTEGER NOT NULL,
  param     INTEGER NOT NULL,
  ref_type  TEXT    NOT NULL,
  ref_id    TEXT    NOT NULL,
  url       TEXT    NOT NULL
);
CREATE INDEX fhir_reference_rid ON fhir_reference (rid, param, ref_id, ref_type);
CREATE INDEX fhir_reference_ref ON fhir_reference (param, ref_id, ref_type, rid);
CREATE INDEX fhir_reference_url ON fhir_reference (param, url, rid) WHERE url <> '';

CREATE TABLE fhir_date (
  rid   INTEGER NOT NULL,
  param INTEGER NOT NULL,
  low   INTEGER NOT NULL,
  high  INTEGER NOT NULL
);
CREATE INDEX fhir_date_rid ON fhir_date (rid, param, low, high);
CREATE INDEX fhir_date_low ON fhir_date (param, low, high, rid);

CREATE TABLE fhir_string (
  rid   INTEGER NOT NULL,
  param INTEGER NOT NULL,
  norm  TEXT    NOT NULL,
  exact TEXT    NOT NULL
);
CREATE INDEX fhir_string_rid  ON fhir_string (rid, param);
CREATE INDEX fhir_string_norm ON fhir_string (param, substr(norm, 1, 200), rid);

CREATE TABLE fhir_number (
  rid    INTEGER NOT NULL,
  param  INTEGER NOT NULL,
  low    TEXT    NOT NULL,
  high   TEXT    NOT NULL,
  system TEXT    NOT NULL,
  code   TEXT    NOT NULL,
  unit   TEXT    NOT NULL
);
CREATE INDEX fhir_number_rid ON fhir_number (rid, param, low, high);
CREATE INDEX fhir_number_low ON fhir_number (param, low, high, rid);

CREATE TABLE fhir_uri (
  rid   INTEGER NOT NULL,
  param INTEGER NOT NULL,
  uri   TEXT    NOT NULL
);
CREATE INDEX fhir_uri_rid ON fhir_uri (rid, param, uri);
CREATE INDEX fhir_uri_uri ON fhir_uri (param, uri, rid);

-- +goose Down
DROP TABLE fhir_uri;
DROP TABLE fhir_number;
DROP TABLE fhir_string;
DROP TABLE fhir_date;
DROP TABLE fhir_reference;
DROP TABLE fhir_token;
DROP TABLE fhir_version;
DROP TABLE fhir_attachment;
DROP TABLE fhir_owner;
DROP TABLE fhir_resource;
