-- +goose Up
-- The embedded FHIR store. Columns are explained in internal/fhirstore/fhirsql/doc.go.
CREATE TABLE fhir_resource (
  rid      BIGINT  NOT NULL PRIMARY KEY,
  type     TEXT COLLATE "C" NOT NULL,
  id       TEXT COLLATE "C" NOT NULL,
  version  BIGINT  NOT NULL,
  updated  BIGINT  NOT NULL,
  deleted  BIGINT  NOT NULL DEFAULT 0,
  owner    TEXT COLLATE "C" NOT NULL DEFAULT '',
  source   BYTEA   NOT NULL,
  body     BYTEA    NOT NULL
);
CREATE UNIQUE INDEX fhir_resource_ref   ON fhir_resource (type, id);
CREATE INDEX        fhir_resource_owner ON fhir_resource (type, owner, id);

CREATE TABLE fhir_owner (
  rid     BIGINT  NOT NULL,
  patient TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (rid, patient)
);

-- Which Binary a resource attaches; the owners of a Binary without a security
-- context follow from it.
CREATE TABLE fhir_attachment (
  rid    BIGINT  NOT NULL,
  binary_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (rid, binary_id)
);
CREATE INDEX fhir_attachment_binary ON fhir_attachment (binary_id, rid);

CREATE TABLE fhir_version (
  type    TEXT COLLATE "C" NOT NULL,
  id      TEXT COLLATE "C" NOT NULL,
  version BIGINT  NOT NULL,
  updated BIGINT  NOT NULL,
  deleted BIGINT  NOT NULL DEFAULT 0,
  owners  TEXT COLLATE "C" NOT NULL,
  body    BYTEA    NOT NULL,
  PRIMARY KEY (type, id, version)
);

CREATE TABLE fhir_token (
  rid    BIGINT  NOT NULL,
  param  BIGINT  NOT NULL,
  system TEXT COLLATE "C" NOT NULL,
  code   TEXT COLLATE "C" NOT NULL
);
CREATE INDEX fhir_token_rid  ON fhir_token (rid, param, code, system);
CREATE INDEX fhir_token_code ON fhir_token (param, code, system, rid);

CREATE TABLE fhir_reference (
  rid       BIGINT  NOT NULL,
  param     BIGINT  NOT NULL,
  ref_type  TEXT COLLATE "C" NOT NULL,
  ref_id    TEXT COLLATE "C" NOT NULL,
  url       TEXT COLLATE "C" NOT NULL
);
CREATE INDEX fhir_reference_rid ON fhir_reference (rid, param, ref_id, ref_type);
CREATE INDEX fhir_reference_ref ON fhir_reference (param, ref_id, ref_type, rid);
CREATE INDEX fhir_reference_url ON fhir_reference (param, url, rid) WHERE url <> '';

CREATE TABLE fhir_date (
  rid   BIGINT  NOT NULL,
  param BIGINT  NOT NULL,
  low   BIGINT  NOT NULL,
  high  BIGINT  NOT NULL
);
CREATE INDEX fhir_date_rid ON fhir_date (rid, param, low, high);
CREATE INDEX fhir_date_low ON fhir_date (param, low, high, rid);

CREATE TABLE fhir_string (
  rid   BIGINT  NOT NULL,
  param BIGINT  NOT NULL,
  norm  TEXT COLLATE "C" NOT NULL,
  exact TEXT COLLATE "C" NOT NULL
);
CREATE INDEX fhir_string_rid  ON fhir_string (rid, param);
CREATE INDEX fhir_string_norm ON fhir_string (param, substr(norm, 1, 200), rid);

CREATE TABLE fhir_number (
  rid    BIGINT  NOT NULL,
  param  BIGINT  NOT NULL,
  low    TEXT COLLATE "C" NOT NULL,
  high   TEXT COLLATE "C" NOT NULL,
  system TEXT COLLATE "C" NOT NULL,
  code   TEXT COLLATE "C" NOT NULL,
  unit   TEXT COLLATE "C" NOT NULL
);
CREATE INDEX fhir_number_rid ON fhir_number (rid, param, low, high);
CREATE INDEX fhir_number_low ON fhir_number (param, low, high, rid);

CREATE TABLE fhir_uri (
  rid   BIGINT  NOT NULL,
  param BIGINT  NOT NULL,
  uri   TEXT COLLATE "C" NOT NULL
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
