package store

import "time"

// SigningKey is one key of the server. The private part is sealed under the
// key-encrypting key; the store cannot read it.
type SigningKey struct {
	ID        string // kid
	Algorithm string // RS256, ES256
	Use       string // "id" or "access"
	PublicJWK []byte
	Sealed    []byte
	State     KeyState
	CreatedAt time.Time
}

// KeyState is the life of a key: published, signing, retired (still published), gone.
type KeyState string

// The states of a signing key.
const (
	KeyPublished KeyState = "published"
	KeySigning   KeyState = "signing"
	KeyRetired   KeyState = "retired"
)

// ServerSecret is a sealed symmetric secret of the server, such as the MAC key
// of refresh tokens.
type ServerSecret struct {
	Name      string
	Sealed    []byte
	CreatedAt time.Time
}
