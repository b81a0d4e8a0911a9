-- +goose Up
-- Apps that got an ID token in a session are told when it ends (OpenID Connect
-- Back-Channel Logout). A session and the grants of its ID tokens carry its sid.
ALTER TABLE browser_session ADD COLUMN sid TEXT NOT NULL DEFAULT '';
UPDATE browser_session SET sid = lower(hex(randomblob(16)));
ALTER TABLE authorization_grant ADD COLUMN sid TEXT NOT NULL DEFAULT '';
CREATE INDEX authorization_grant_sid ON authorization_grant (sid) WHERE sid <> '';

CREATE TABLE logout_notice (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  client_id TEXT    NOT NULL,
  user_id   TEXT    NOT NULL,
  sid       TEXT    NOT NULL,
  attempts  INTEGER NOT NULL DEFAULT 0,
  due       INTEGER NOT NULL,
  expires   INTEGER NOT NULL
);
CREATE INDEX logout_notice_client ON logout_notice (client_id, due);
CREATE INDEX logout_notice_due ON logout_notice (due);

-- +goose Down
DROP TABLE logout_notice;
DROP INDEX authorization_grant_sid;
ALTER TABLE authorization_grant DROP COLUMN sid;
ALTER TABLE browser_session DROP COLUMN sid;
