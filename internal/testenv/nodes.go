package testenv

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/emberlatch/emberlatch/internal/app"
	"github.com/emberlatch/emberlatch/internal/testdb"
)

// Nodes runs processes of one server on one PostgreSQL database, as behind a
// balancer: all have the same address, each Env reaches one of them. There are the
// patient zoe with an account and no sample people. change says what is configured
// otherwise at all of them.
func Nodes(t testing.TB, n int, change ...func(*app.Config)) []*Env {
	t.Helper()
	database, key := testdb.PostgreSQL(t), filepath.Join(t.TempDir(), "key")
	nodes := make([]*Env, n)
	for i := range nodes {
		nodes[i] = Serve(t, func(c *app.Config) {
			c.Store = app.StoreConfig{URL: database, EncryptionKeyFile: key}
			for _, also := range change {
				also(c)
			}
		})
	}
	nodes[0].AddZoe()
	for _, e := range nodes {
		e.File.People = nodes[0].File.People
	}
	return nodes
}

// AddZoe makes the patient zoe with an account.
func (e *Env) AddZoe() {
	e.t.Helper()
	const password = "a quiet morning walk"
	e.Admin(http.MethodPost, "/data?name=zoe.ndjson", `{"resourceType":"Patient","id":"zoe","name":[{"family":"Winter","given":["Zoe"]}],"birthDate":"1990-01-01"}`)
	made := e.Admin(http.MethodPost, "/users", `{"username":"zoe","password":"`+password+`","role":"patient","fhirUser":"Patient/zoe"}`)
	if made.Status != http.StatusCreated {
		e.t.Fatalf("making an account: %d %s", made.Status, made.Raw)
	}
	e.Know("zoe", password, "zoe")
}

// Know notes the password of somebody who was added, and whom they reach.
func (e *Env) Know(username, password string, patients ...string) {
	e.t.Helper()
	text, err := json.Marshal(map[string]any{"people": []map[string]any{{"username": username, "password": password, "patients": patients}}})
	if err != nil {
		e.t.Fatal(err)
	}
	var added File
	if err := json.Unmarshal(text, &added); err != nil {
		e.t.Fatal(err)
	}
	e.File.People = append(e.File.People, added.People...)
}

// Serve runs a server with a configuration of its own, and without sample people,
// until the test ends.
func Serve(t testing.TB, change func(*app.Config)) *Env {
	t.Helper()
	cfg, err := app.DevConfig(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	change(&cfg)
	ctx, stop := context.WithCancel(context.Background())
	s, err := app.Start(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		stop()
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Wait(ctx) }()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.Address())
	}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &Env{t: t, URL: cfg.PublicURL, FHIR: cfg.FHIRBase(), DataDir: cfg.DataDir, client: plainClient(transport), transport: transport}
}
