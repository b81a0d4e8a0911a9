package admin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/review"
	"github.com/emberlatch/emberlatch/internal/store"
)

// mistake is a protocol error about a document, with the line where it stands.
type mistake struct {
	Error       oauth.Code `json:"error"`
	Description string     `json:"error_description"`
	Line        int        `json:"line,omitempty"`
}

// judged answers a document that was refused; line is where it begins.
func judged(err error, raw []byte, line int) (int, any, error) {
	var refused *oauth.Error
	if !errors.As(err, &refused) {
		return 0, nil, err
	}
	m := mistake{Error: refused.Code, Description: refused.Description}
	if at := register.Line(raw, refused); at > 0 {
		m.Line = line + at - 1
	} else if line > 1 {
		m.Line = line
	}
	return http.StatusBadRequest, m, nil
}

// body reads a whole document.
func body(r *http.Request, limit int64) ([]byte, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	if err != nil {
		return nil, bad("the input is larger than %d KiB", limit>>10)
	}
	return raw, nil
}

// addClient registers an application from its metadata (RFC 7591 §2) and
// answers the registration response (§3.2.1), the secret in it once. With
// ?untrusted browsers are not sent to it with an error before the person has read
// where they are going (AZ-29).
func (d *Door) addClient(r *http.Request) (int, any, error) {
	metadata, err := body(r, 1<<20)
	if err != nil {
		return 0, nil, err
	}
	client, response, err := d.deps.Registrar.RegisterAs(metadata, !r.URL.Query().Has("untrusted"))
	if err != nil {
		return judged(err, metadata, 1)
	}
	err = d.deps.Store.ImportClients(r.Context(), []store.Client{client}, store.Event{At: d.deps.Now(), Kind: "client.added", Actor: "operator", Outcome: "ok"})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, json.RawMessage(response), d.deps.Refresh(r.Context())
}

// clientLine is what a list shows of a client.
type clientLine struct {
	ID             store.ClientID   `json:"client_id"`
	Name           string           `json:"client_name"`
	Method         store.AuthMethod `json:"token_endpoint_auth_method"`
	Scope          string           `json:"scope"`
	Checked        bool             `json:"checked,omitempty"`
	SelfRegistered bool             `json:"self_registered,omitempty"`
	Disabled       bool             `json:"disabled,omitempty"`
	// State is how far the review is of an app that registered itself.
	State store.ReviewState `json:"review_state,omitempty"`
}

func lineOf(c store.Client) clientLine {
	return clientLine{c.ID, c.Name, c.AuthMethod, c.Scope, c.Checked, c.SelfRegistered, c.Disabled, c.Review.State()}
}

func (d *Door) listClients(r *http.Request) (int, any, error) {
	clients, err := d.deps.Store.ListClients(r.Context())
	if err != nil {
		return 0, nil, err
	}
	lines := make([]clientLine, 0, len(clients))
	for _, c := range clients {
		lines = append(lines, lineOf(c))
	}
	return http.StatusOK, lines, nil
}

// clientView is all that an operator may see of a client.
type clientView struct {
	Revision       int64           `json:"revision"`
	Registration   json.RawMessage `json:"registration"` // RFC 7591 §3.2.1, without a secret
	Disabled       bool            `json:"disabled"`
	SelfRegistered bool            `json:"self_registered"`
	// RegisteredWith is the initial access token it registered with.
	RegisteredWith string        `json:"registered_with,omitempty"`
	Review         *reviewView   `json:"review,omitempty"`
	Ceiling        store.Ceiling `json:"ceiling,omitzero"` // what it cannot exceed by itself
	Secrets        []secretView  `json:"secrets,omitempty"`
	Changed        []string      `json:"changed,omitempty"` // by this request
}

// secretView is a secret without its hash.
type secretView struct {
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Expired   bool      `json:"expired,omitempty"`
}

func (d *Door) view(c store.Client, changed []string) (clientView, error) {
	raw, err := register.Describe(c, register.Once{})
	v := clientView{
		Revision: c.Version, Registration: raw, Disabled: c.Disabled, SelfRegistered: c.SelfRegistered, RegisteredWith: c.RegisteredWith, Changed: changed,
		Review: d.reviewOf(c), Ceiling: c.Ceiling,
	}
	for _, s := range c.Secrets {
		v.Secrets = append(v.Secrets, secretView{s.CreatedAt, s.ExpiresAt, !s.ExpiresAt.IsZero() && !d.deps.Now().Before(s.ExpiresAt)})
	}
	return v, err
}

func (d *Door) client(r *http.Request) (store.Client, error) {
	id := store.ClientID(r.PathValue("id"))
	c, err := d.deps.Store.Client(r.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		return c, absent{"there is no client " + string(id)}
	}
	return c, err
}

func (d *Door) showClient(r *http.Request) (int, any, error) {
	c, err := d.client(r)
	if err != nil {
		return 0, nil, err
	}
	v, err := d.view(c, nil)
	return http.StatusOK, v, err
}

// change writes a client that was loaded, with its event in the same transaction.
func (d *Door) change(ctx context.Context, c store.Client, kind, detail string) error {
	err := d.deps.Store.ChangeClient(ctx, c, store.Event{
		At: d.deps.Now(), Kind: kind, Actor: "operator", ClientID: c.ID, Outcome: "ok", Detail: detail,
	})
	if errors.Is(err, store.ErrConflict) {
		return conflict("the client is being changed by somebody else: look at it and try again")
	}
	if err != nil {
		return err
	}
	return d.deps.Refresh(ctx)
}

// editClient lays a document over what is registered (REG-17).
func (d *Door) editClient(r *http.Request) (int, any, error) {
	raw, err := body(r, 1<<20)
	if err != nil {
		return 0, nil, err
	}
	was, err := d.client(r)
	if err != nil {
		return 0, nil, err
	}
	now, changed, err := d.deps.Registrar.Change(was, raw)
	if err != nil {
		return judged(err, raw, 1)
	}
	if len(changed) > 0 {
		if err := d.change(r.Context(), now, "client.changed", strings.Join(changed, " ")); err != nil {
			return 0, nil, err
		}
	}
	v, err := d.view(now, changed)
	return http.StatusOK, v, err
}

// disableClient stops an application everywhere: its grants end in the same
// transaction (REVOKE-14, REG-16).
func (d *Door) disableClient(r *http.Request) (int, any, error) {
	return d.setDisabled(r, "client.disabled", func(c store.Client) (store.Client, error) {
		if c.SelfRegistered && !c.Disabled { // its developer is told
			return review.Suspend(c, "", d.deps.Now().UTC())
		}
		c.Disabled = true
		return c, nil
	})
}

// enableClient lets it ask again; what ended stays ended.
func (d *Door) enableClient(r *http.Request) (int, any, error) {
	return d.setDisabled(r, "client.enabled", review.Resume)
}

func (d *Door) setDisabled(r *http.Request, kind string, change func(store.Client) (store.Client, error)) (int, any, error) {
	c, err := d.client(r)
	if err != nil {
		return 0, nil, err
	}
	c, err = change(c)
	if err := refusedBy(err); err != nil {
		return 0, nil, err
	}
	if err := d.change(r.Context(), c, kind, ""); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, lineOf(c), nil
}

// removeClient takes a client away for good (REG-16).
func (d *Door) removeClient(r *http.Request) (int, any, error) {
	c, err := d.client(r)
	if err != nil {
		return 0, nil, err
	}
	err = d.deps.Store.RemoveClient(r.Context(), c, store.Event{
		At: d.deps.Now(), Kind: "client.removed", Actor: "operator", ClientID: c.ID, Outcome: "ok",
	})
	if errors.Is(err, store.ErrConflict) {
		return 0, nil, conflict("the client is being changed by somebody else: look at it and try again")
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]string{"removed": string(c.ID)}, d.deps.Refresh(r.Context())
}

// rotation is the input of `emberlatch client rotate-secret`.
type rotation struct {
	Overlap int64 `json:"overlap_seconds"`
	Life    int64 `json:"life_seconds"`
}

// rotateSecret makes another secret; the old one works beside it for a time
// (CAUTH-10).
func (d *Door) rotateSecret(r *http.Request) (int, any, error) {
	var in rotation
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	const most = int64(100 * 365 * 24 * 3600)
	if in.Overlap < 0 || in.Overlap > most || in.Life < 0 || in.Life > most {
		return 0, nil, bad("a length is 0 to 100 years")
	}
	was, err := d.client(r)
	if err != nil {
		return 0, nil, err
	}
	now, secret, err := d.deps.Registrar.NewSecret(was, time.Duration(in.Overlap)*time.Second, time.Duration(in.Life)*time.Second)
	if err != nil {
		return judged(err, nil, 1)
	}
	now.OperatorSet = now.SelfRegistered
	if err := d.change(r.Context(), now, "client.secret-rotated", ""); err != nil {
		return 0, nil, err
	}
	out := map[string]any{"client_id": now.ID, "client_secret": secret, "client_secret_expires_at": 0}
	if end := now.Secrets[0].ExpiresAt; !end.IsZero() {
		out["client_secret_expires_at"] = end.Unix()
	}
	if len(now.Secrets) > 1 {
		out["previous_secret_expires_at"] = now.Secrets[1].ExpiresAt.Unix()
	}
	return http.StatusOK, out, nil
}
