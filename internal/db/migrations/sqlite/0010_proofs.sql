-- +goose Up
-- DPoP proofs that were used at the token endpoint, until nobody can present them
-- any more. id_hash is of the key and its jti.
CREATE TABLE used_proof (
  id_hash BLOB    NOT NULL PRIMARY KEY,
  expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX used_proof_expires ON used_proof (expires);

-- The key that the code, and then the refresh family, is bound to; empty: none.
ALTER TABLE authorization_grant ADD COLUMN key_thumbprint TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE authorization_grant DROP COLUMN key_thumbprint;
DROP TABLE used_proof;
