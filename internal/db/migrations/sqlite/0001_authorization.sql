-- +goose Up
-- What the authorization server keeps. Columns are explained in
-- internal/store/storesql/doc.go. Times are Unix milliseconds; 0 means never.
CREATE TABLE client (
  id       TEXT    NOT NULL PRIMARY KEY,
  disabled INTEGER NOT NULL DEFAULT 0,
  body     TEXT    NOT NULL
) WITHOUT ROWID;

CREATE TABLE account (
  id            TEXT    NOT NULL PRIMARY KEY,
  username_key  TEXT    NOT NULL UNIQUE,
  role          TEXT    NOT NULL,
  fhir_user     TEXT    NOT NULL,
  disabled      INTEGER NOT NULL DEFAULT 0,
  password_hash TEXT    NOT NULL DEFAULT '',
  body          TEXT    NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX account_patient ON account (fhir_user) WHERE role = 'patient' AND fhir_user <> '';

CREATE TABLE invitation (
  code_hash BLOB    NOT NULL PRIMARY KEY,
  patient   TEXT    NOT NULL,
  created   INTEGER NOT NULL,
  expires   INTEGER NOT NULL,
  tries     INTEGER NOT NULL DEFAULT 0,
  used      INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE browser_session (
  id_hash    BLOB    NOT NULL PRIMARY KEY,
  user_id    TEXT    NOT NULL,
  auth_time  INTEGER NOT NULL,
  amr        TEXT    NOT NULL,
  created    INTEGER NOT NULL,
  last_seen  INTEGER NOT NULL,
  idle_until INTEGER NOT NULL,
  expires    INTEGER NOT NULL,
  ended      INTEGER NOT NULL DEFAULT 0,
  ended_for  TEXT    NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX browser_session_user ON browser_session (user_id);
CREATE INDEX browser_session_expires ON browser_session (expires);

CREATE TABLE authorization_request (
  handle_hash  BLOB    NOT NULL PRIMARY KEY,
  browser_hash BLOB    NOT NULL,
  version      INTEGER NOT NULL,
  created      INTEGER NOT NULL,
  expires      INTEGER NOT NULL,
  answered     INTEGER NOT NULL DEFAULT 0,
  anonymous    INTEGER NOT NULL DEFAULT 1,
  asked        TEXT    NOT NULL,
  facts        TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX authorization_request_expires ON authorization_request (expires);
CREATE INDEX authorization_request_pending ON authorization_request (created) WHERE answered = 0 AND anonymous = 1;

CREATE TABLE authorization_grant (
  id               TEXT    NOT NULL PRIMARY KEY,
  client_id        TEXT    NOT NULL,
  user_id          TEXT    NOT NULL,
  patient          TEXT    NOT NULL,
  body             TEXT    NOT NULL,
  session_hash     BLOB    NOT NULL,
  created          INTEGER NOT NULL,
  code_hash        BLOB    NOT NULL UNIQUE,
  redirect_uri     TEXT    NOT NULL,
  code_challenge   TEXT    NOT NULL,
  code_expires     INTEGER NOT NULL,
  code_used        INTEGER NOT NULL DEFAULT 0,
  refresh_kind     TEXT    NOT NULL,
  refresh_idle     INTEGER NOT NULL,
  refresh_absolute INTEGER NOT NULL,
  refresh_rotate   INTEGER NOT NULL,
  generation       INTEGER NOT NULL DEFAULT 0,
  rotated          INTEGER NOT NULL DEFAULT 0,
  refresh_expires  INTEGER NOT NULL DEFAULT 0,
  revoked          INTEGER NOT NULL DEFAULT 0,
  revoked_for      TEXT    NOT NULL DEFAULT '',
  revoked_by       TEXT    NOT NULL DEFAULT '',
  outcome          TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX authorization_grant_user    ON authorization_grant (user_id, client_id);
CREATE INDEX authorization_grant_client  ON authorization_grant (client_id);
CREATE INDEX authorization_grant_patient ON authorization_grant (patient);
CREATE INDEX authorization_grant_session ON authorization_grant (session_hash);
CREATE INDEX authorization_grant_revoked ON authorization_grant (revoked) WHERE revoked > 0;

CREATE TABLE revoked_token (
  token_id TEXT    NOT NULL PRIMARY KEY,
  expires  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX revoked_token_expires ON revoked_token (expires);

CREATE TABLE consent_decision (
  id      TEXT    NOT NULL PRIMARY KEY,
  at      INTEGER NOT NULL,
  user_id TEXT    NOT NULL,
  body    TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX consent_decision_user ON consent_decision (user_id, at);

CREATE TABLE remembered_consent (
  user_id   TEXT NOT NULL,
  client_id TEXT NOT NULL,
  patient   TEXT NOT NULL,
  body      TEXT NOT NULL,
  PRIMARY KEY (user_id, client_id, patient)
) WITHOUT ROWID;

CREATE TABLE signing_key (
  id         TEXT    NOT NULL PRIMARY KEY,
  algorithm  TEXT    NOT NULL,
  used_for   TEXT    NOT NULL,
  public_jwk BLOB    NOT NULL,
  sealed     BLOB    NOT NULL,
  state      TEXT    NOT NULL,
  created    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE server_secret (
  name    TEXT    NOT NULL PRIMARY KEY,
  sealed  BLOB    NOT NULL,
  created INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE change_feed (
  seq  INTEGER PRIMARY KEY AUTOINCREMENT,
  at   INTEGER NOT NULL,
  kind TEXT    NOT NULL,
  id   TEXT    NOT NULL
);
CREATE INDEX change_feed_at ON change_feed (at);

CREATE TABLE security_event (
  seq       INTEGER PRIMARY KEY AUTOINCREMENT,
  at        INTEGER NOT NULL,
  kind      TEXT    NOT NULL,
  actor     TEXT    NOT NULL,
  client_id TEXT    NOT NULL,
  patient   TEXT    NOT NULL,
  grant_id  TEXT    NOT NULL,
  outcome   TEXT    NOT NULL,
  detail    TEXT    NOT NULL
);

CREATE TABLE throttle (
  name  TEXT    NOT NULL PRIMARY KEY,
  tries INTEGER NOT NULL,
  until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX throttle_until ON throttle (until);

-- What ends access tells the feed by itself, whichever statement did it.
-- +goose StatementBegin
CREATE TRIGGER grant_revoked AFTER UPDATE OF revoked ON authorization_grant WHEN OLD.revoked = 0 AND NEW.revoked > 0
BEGIN
  INSERT INTO change_feed (at, kind, id) VALUES (NEW.revoked, 'grant-revoked', NEW.id);
  INSERT INTO security_event (at, kind, actor, client_id, patient, grant_id, outcome, detail)
  VALUES (NEW.revoked, 'grant.ended', NEW.revoked_by, NEW.client_id, NEW.patient, NEW.id, 'ok', NEW.revoked_for);
END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE throttle;
DROP TABLE security_event;
DROP TABLE change_feed;
DROP TABLE server_secret;
DROP TABLE signing_key;
DROP TABLE remembered_consent;
DROP TABLE consent_decision;
DROP TABLE revoked_token;
DROP TABLE authorization_grant;
DROP TABLE authorization_request;
DROP TABLE browser_session;
DROP TABLE invitation;
DROP TABLE account;
DROP TABLE client;
