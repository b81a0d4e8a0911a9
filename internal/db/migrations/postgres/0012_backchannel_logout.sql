-- +goose Up
-- Apps that got an ID token in a session are told when it ends (OpenID Connect
-- Back-Channel Logout). A session and the grants of its ID tokens carry its sid.
ALTER TABLE browser_session ADD COLUMN sid TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE browser_session SET sid = replace(CAST(gen_random_uuid() AS TEXT), '-', '');
ALTER TABLE authorization_grant ADD COLUMN sid TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX authorization_grant_sid ON authorization_grant (sid) WHERE sid <> '';

CREATE TABLE logout_notice (
  id        BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  client_id TEXT    COLLATE "C" NOT NULL,
  user_id   TEXT    COLLATE "C" NOT NULL,
  sid       TEXT    COLLATE "C" NOT NULL,
  attempts  BIGINT  NOT NULL DEFAULT 0,
  due       BIGINT  NOT NULL,
  expires   BIGINT  NOT NULL
);
CREATE INDEX logout_notice_client ON logout_notice (client_id, due);
CREATE INDEX logout_notice_due ON logout_notice (due);

-- +goose Down
DROP TABLE logout_notice;
DROP INDEX authorization_grant_sid;
ALTER TABLE authorization_grant DROP COLUMN sid;
ALTER TABLE browser_session DROP COLUMN sid;
