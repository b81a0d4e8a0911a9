package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/emberlatch/emberlatch/internal/app"
)

// where names the server that a command changes.
type where struct {
	Data   string `help:"Data folder of the sandbox or server." placeholder:"DIR" env:"EMBERLATCH_DATA_DIR"`
	Config string `help:"Configuration file of the server." placeholder:"FILE" type:"existingfile" env:"EMBERLATCH_CONFIG"`
}

// load returns the configuration that --config or --data names.
func (w where) load() (app.Config, error) {
	if w.Config != "" {
		return app.LoadConfig(w.Config)
	}
	dir := w.Data
	if dir == "" {
		dir = defaultDataDir
	}
	if _, err := os.Stat(dir); err != nil {
		return app.Config{}, fmt.Errorf("no data folder %s: say --data DIR, or start `emberlatch dev` first", dir)
	}
	return app.DevConfig(dir, "")
}

// remote speaks to the administration of a server: the running one, or one
// opened for this command alone when none runs.
type remote struct {
	client *http.Client
	close  func() error
}

// connect finds the admin socket; without a running server it opens the store
// itself and serves the socket for the length of the command.
func (w where) connect(ctx context.Context) (*remote, error) {
	cfg, err := w.load()
	if err != nil {
		return nil, err
	}
	socket, err := filepath.Abs(cfg.SocketPath())
	if err != nil {
		return nil, err
	}
	r := &remote{client: socketClient(socket), close: func() error { return nil }}
	if r.alive(ctx) {
		return r, nil
	}
	offline, err := app.OpenOffline(ctx, cfg)
	if err != nil {
		return nil, err
	}
	r.close = offline.Close
	return r, nil
}

func socketClient(path string) *http.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, DisableCompression: true}}
}

func (r *remote) alive(ctx context.Context) bool {
	resp, err := r.do(ctx, http.MethodGet, "/status", nil)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func (r *remote) do(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://emberlatch"+path, body)
	if err != nil {
		return nil, err
	}
	return r.client.Do(req)
}

// call sends a request and prints the JSON answer; an error answer becomes an
// error with its sentence.
func (r *remote) call(s *session, method, path string, body []byte) error {
	resp, err := r.do(s.ctx, method, path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return errors.New(sentence(answer))
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, bytes.TrimSpace(answer), "", "  ") == nil {
		answer = append(pretty.Bytes(), '\n')
	}
	_, err = s.stdout.Write(answer)
	return err
}

// sentence is the readable part of an error answer.
func sentence(answer []byte) string {
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(answer, &e) != nil || e.Error == "" {
		return string(bytes.TrimSpace(answer))
	}
	if e.Description != "" {
		return e.Error + ": " + e.Description
	}
	return e.Error
}

// readInput reads FILE, or standard input for "-".
func readInput(s *session, file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(s.stdin)
	}
	return os.ReadFile(file)
}
