package store

import "time"

// SigningKey is one key of the server. The private part is sealed under the
// key-encrypting key; the store cannot read it.
//
// Its whole life is written when it is decided: a process needs no more than the
// time of day to know which key signs and which still verify.
type SigningKey struct {
	ID        string // kid
	Algorithm string // RS256, ES256
	Use       string // "id" or "access"
	PublicJWK []byte
	Sealed    []byte
	CreatedAt time.Time // published from here on
	// SignsFrom is when it begins to sign, until a younger one of its use and
	// algorithm does.
	SignsFrom time.Time
	// VerifiesUntil is the end of the last token that it signs; zero while no
	// younger key was made.
	VerifiesUntil time.Time
}

// ServerSecret is a sealed symmetric secret of the server, such as the MAC key
// of refresh tokens.
type ServerSecret struct {
	Name      string
	Sealed    []byte
	CreatedAt time.Time
}

// KeyChange puts keys in the place of those that were read, and secrets as well
// if any were read.
type KeyChange struct {
	ReadKeys, Keys       []SigningKey
	ReadSecrets, Secrets []ServerSecret
}
