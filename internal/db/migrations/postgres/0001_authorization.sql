-- +goose Up
-- What the authorization server keeps. Columns are explained in
-- internal/store/storesql/doc.go. Times are Unix milliseconds; 0 means never.
CREATE TABLE client (
  id       TEXT    COLLATE "C" NOT NULL PRIMARY KEY,
  disabled BIGINT  NOT NULL DEFAULT 0,
  body     TEXT    COLLATE "C" NOT NULL
);

CREATE TABLE account (
  id            TEXT    COLLATE "C" NOT NULL PRIMARY KEY,
  username_key  TEXT    COLLATE "C" NOT NULL UNIQUE,
  role          TEXT    COLLATE "C" NOT NULL,
  fhir_user     TEXT    COLLATE "C" NOT NULL,
  disabled      BIGINT  NOT NULL DEFAULT 0,
  password_hash TEXT    COLLATE "C" NOT NULL DEFAULT '',
  body          TEXT    COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX account_patient ON account (fhir_user) WHERE role = 'patient' AND fhir_user <> '';

CREATE TABLE invitation (
  code_hash BYTEA    NOT NULL PRIMARY KEY,
  patient   TEXT    COLLATE "C" NOT NULL,
  created   BIGINT  NOT NULL,
  expires   BIGINT  NOT NULL,
  tries     BIGINT  NOT NULL DEFAULT 0,
  used      BIGINT  NOT NULL DEFAULT 0
);

CREATE TABLE browser_session (
  id_hash    BYTEA    NOT NULL PRIMARY KEY,
  user_id    TEXT    COLLATE "C" NOT NULL,
  auth_time  BIGINT  NOT NULL,
  amr        TEXT    COLLATE "C" NOT NULL,
  created    BIGINT  NOT NULL,
  last_seen  BIGINT  NOT NULL,
  idle_until BIGINT  NOT NULL,
  expires    BIGINT  NOT NULL,
  ended      BIGINT  NOT NULL DEFAULT 0,
  ended_for  TEXT    COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX browser_session_user ON browser_session (user_id);
CREATE INDEX browser_session_expires ON browser_session (expires);

CREATE TABLE authorization_request (
  handle_hash  BYTEA    NOT NULL PRIMARY KEY,
  browser_hash BYTEA    NOT NULL,
  version      BIGINT  NOT NULL,
  created      BIGINT  NOT NULL,
  expires      BIGINT  NOT NULL,
  answered     BIGINT  NOT NULL DEFAULT 0,
  anonymous    BIGINT  NOT NULL DEFAULT 1,
  asked        TEXT    COLLATE "C" NOT NULL,
  facts        TEXT    COLLATE "C" NOT NULL
);
CREATE INDEX authorization_request_expires ON authorization_request (expires);
CREATE INDEX authorization_request_pending ON authorization_request (created) WHERE answered = 0 AND anonymous = 1;

CREATE TABLE authorization_grant (
  id               TEXT    COLLATE "C" NOT NULL PRIMARY KEY,
  client_id        TEXT    COLLATE "C" NOT NULL,
  user_id          TEXT    COLLATE "C" NOT NULL,
  patient          TEXT    COLLATE "C" NOT NULL,
  body             TEXT    COLLATE "C" NOT NULL,
  session_hash     BYTEA    NOT NULL,
  created          BIGINT  NOT NULL,
  code_hash        BYTEA    NOT NULL UNIQUE,
  redirect_uri     TEXT    COLLATE "C" NOT NULL,
  code_challenge   TEXT    COLLATE "C" NOT NULL,
  code_expires     BIGINT  NOT NULL,
  code_used        BIGINT  NOT NULL DEFAULT 0,
  refresh_kind     TEXT    COLLATE "C" NOT NULL,
  refresh_idle     BIGINT  NOT NULL,
  refresh_absolute BIGINT  NOT NULL,
  refresh_rotate   BIGINT  NOT NULL,
  generation       BIGINT  NOT NULL DEFAULT 0,
  rotated          BIGINT  NOT NULL DEFAULT 0,
  refresh_expires  BIGINT  NOT NULL DEFAULT 0,
  revoked          BIGINT  NOT NULL DEFAULT 0,
  revoked_for      TEXT    COLLATE "C" NOT NULL DEFAULT '',
  revoked_by       TEXT    COLLATE "C" NOT NULL DEFAULT '',
  outcome          TEXT    COLLATE "C" NOT NULL DEFAULT ''
) WITH (fillfactor = 80); -- a refresh changes no indexed column and stays on its page
CREATE INDEX authorization_grant_user    ON authorization_grant (user_id, client_id);
CREATE INDEX authorization_grant_client  ON authorization_grant (client_id);
CREATE INDEX authorization_grant_patient ON authorization_grant (patient);
CREATE INDEX authorization_grant_session ON authorization_grant (session_hash);
CREATE INDEX authorization_grant_revoked ON authorization_grant (revoked) WHERE revoked > 0;

CREATE TABLE revoked_token (
  token_id TEXT    COLLATE "C" NOT NULL PRIMARY KEY,
  expires  BIGINT  NOT NULL
);
CREATE INDEX revoked_token_expires ON revoked_token (expires);

CREATE TABLE consent_decision (
  id      TEXT    COLLATE "C" NOT NULL PRIMARY KEY,
  at      BIGINT  NOT NULL,
  user_id TEXT    COLLATE "C" NOT NULL,
  body    TEXT    COLLATE "C" NOT NULL
);
CREATE INDEX consent_decision_user ON consent_decision (user_id, at);

CREATE TABLE remembered_consent (
  user_id   TEXT COLLATE "C" NOT NULL,
  client_id TEXT COLLATE "C" NOT NULL,
  patient   TEXT COLLATE "C" NOT NULL,
  body      TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (user_id, client_id, patient)
);

CREATE TABLE signing_key (
  id         TEXT    COLLATE "C" NOT NULL PRIMARY KEY,
  algorithm  TEXT    COLLATE "C" NOT NULL,
  used_for   TEXT    COLLATE "C" NOT NULL,
  public_jwk BYTEA    NOT NULL,
  sealed     BYTEA    NOT NULL,
  state      TEXT    COLLATE "C" NOT NULL,
  created    BIGINT  NOT NULL
);

CREATE TABLE server_secret (
  name    TEXT    COLLATE "C" NOT NULL PRIMARY KEY,
  sealed  BYTEA    NOT NULL,
  created BIGINT  NOT NULL
);

CREATE TABLE change_feed (
  seq  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at   BIGINT  NOT NULL,
  kind TEXT    COLLATE "C" NOT NULL,
  id   TEXT    COLLATE "C" NOT NULL
);
CREATE INDEX change_feed_at ON change_feed (at);

CREATE TABLE security_event (
  seq       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at        BIGINT  NOT NULL,
  kind      TEXT    COLLATE "C" NOT NULL,
  actor     TEXT    COLLATE "C" NOT NULL,
  client_id TEXT    COLLATE "C" NOT NULL,
  patient   TEXT    COLLATE "C" NOT NULL,
  grant_id  TEXT    COLLATE "C" NOT NULL,
  outcome   TEXT    COLLATE "C" NOT NULL,
  detail    TEXT    COLLATE "C" NOT NULL
);

CREATE TABLE throttle (
  name  TEXT    COLLATE "C" NOT NULL PRIMARY KEY,
  tries BIGINT  NOT NULL,
  until BIGINT  NOT NULL
);
CREATE INDEX throttle_until ON throttle (until);

-- What ends access tells the feed by itself, whichever statement did it.
-- +goose StatementBegin
CREATE FUNCTION tell_grant_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO change_feed (at, kind, id) VALUES (NEW.revoked, 'grant-revoked', NEW.id);
  INSERT INTO security_event (at, kind, actor, client_id, patient, grant_id, outcome, detail)
  VALUES (NEW.revoked, 'grant.ended', NEW.revoked_by, NEW.client_id, NEW.patient, NEW.id, 'ok', NEW.revoked_for);
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER grant_revoked AFTER UPDATE OF revoked ON authorization_grant
FOR EACH ROW WHEN (OLD.revoked = 0 AND NEW.revoked > 0) EXECUTE FUNCTION tell_grant_revoked();

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
DROP FUNCTION tell_grant_revoked;
DROP TABLE authorization_request;
DROP TABLE browser_session;
DROP TABLE invitation;
DROP TABLE account;
DROP TABLE client;
