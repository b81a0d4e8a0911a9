package register

import (
	"encoding/hex"
	stdjson "encoding/json"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// record is a client as it goes from one server to another: its metadata, its id,
// the hashes of its secrets, and what operators decided. Its registration access
// token does not go along.
type record struct {
	ClientID store.ClientID `json:"client_id"`
	IssuedAt int64          `json:"client_id_issued_at,omitempty"`
	metadata
	Disabled         bool           `json:"emberlatch_disabled,omitempty"`
	SelfRegistered   bool           `json:"emberlatch_self_registered,omitempty"`
	RefuseSecretPost bool           `json:"emberlatch_refuse_secret_post,omitempty"`
	RegisteredWith   string         `json:"emberlatch_registered_with,omitempty"`
	Ceiling          store.Ceiling  `json:"emberlatch_ceiling,omitzero"`
	Review           store.Review   `json:"emberlatch_review,omitzero"`
	Secrets          []secretRecord `json:"emberlatch_secrets,omitempty"`
}

// secretRecord is a secret by its hash.
type secretRecord struct {
	SHA256    string    `json:"sha256"` // hex
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// Export writes a client as one line of JSON.
func Export(c store.Client) ([]byte, error) {
	out := record{
		ClientID: c.ID, IssuedAt: c.CreatedAt.Unix(), metadata: metadataOf(c),
		Disabled: c.Disabled, SelfRegistered: c.SelfRegistered, RefuseSecretPost: c.RefuseSecretPost,
		RegisteredWith: c.RegisteredWith, Ceiling: c.Ceiling, Review: c.Review,
	}
	for _, s := range c.Secrets {
		out.Secrets = append(out.Secrets, secretRecord{hex.EncodeToString(s.Hash), s.CreatedAt, s.ExpiresAt})
	}
	return stdjson.Marshal(out)
}

// Import reads what Export wrote, by the rules of a new registration. Errors are
// *oauth.Error that name the member.
func (r *Registrar) Import(raw []byte) (store.Client, error) {
	in, refused := read[record](raw, true)
	if refused != nil {
		return store.Client{}, refused
	}
	in.complete(r.deps.Sandbox)
	if refused := r.judge(&in.metadata); refused != nil {
		return store.Client{}, refused
	}
	if !validID(string(in.ClientID)) {
		return store.Client{}, wrong("client_id", "1 to 200 letters, digits and - . _ ~; without an id, use client add")
	}
	created := r.deps.Now().UTC()
	if in.IssuedAt > 0 {
		created = time.Unix(in.IssuedAt, 0).UTC()
	}
	c := in.client(created)
	c.ID, c.Disabled, c.SelfRegistered, c.RefuseSecretPost = in.ClientID, in.Disabled, in.SelfRegistered, in.RefuseSecretPost
	c.RegisteredWith, c.Ceiling, c.Review = in.RegisteredWith, in.Ceiling, in.Review
	if c.SelfRegistered { // an operator takes it in: also one of a time without reviews
		if c.OperatorSet = true; c.Review == (store.Review{}) {
			c.Review = store.Review{RegisteredAt: created, EnabledAt: r.deps.Now().UTC()}
		}
	}
	if c.Secrets, refused = secretsOf(in); refused != nil {
		return store.Client{}, refused
	}
	return c, nil
}

func secretsOf(in record) ([]store.ClientSecret, *oauth.Error) {
	const member = "emberlatch_secrets"
	if len(in.Secrets) > 0 && kindOf(store.AuthMethod(in.AuthMethod)) != store.AuthSecretBasic || len(in.Secrets) > 2 {
		return nil, wrong(member, "at most two, of a client that authenticates by one")
	}
	var list []store.ClientSecret
	for _, s := range in.Secrets {
		hash, err := hex.DecodeString(s.SHA256)
		if err != nil || len(hash) != len(oauth.Hash("")) {
			return nil, wrong(member, "sha256 is 64 hexadecimal digits")
		}
		list = append(list, store.ClientSecret{Hash: hash, CreatedAt: s.CreatedAt.UTC(), ExpiresAt: s.ExpiresAt.UTC()})
	}
	return list, nil
}

// validID: characters that mean nothing anywhere (RFC 3986 §2.3), which no URL has
// as its whole.
func validID(id string) bool {
	return id != "" && len(id) <= 200 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~") == ""
}
