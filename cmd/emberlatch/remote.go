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

// ask sends a request and returns the answer; an error answer becomes a refusal.
func (r *remote) ask(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	resp, err := r.do(ctx, method, path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return nil, refusalOf(answer)
	}
	return answer, nil
}

// printJSON prints an answer, indented.
func printJSON(s *session, answer []byte) error {
	var pretty bytes.Buffer
	if json.Indent(&pretty, bytes.TrimSpace(answer), "", "  ") == nil {
		answer = append(pretty.Bytes(), '\n')
	}
	_, err := s.stdout.Write(answer)
	return err
}

// refusal is what the server did not accept, with the line of the input where the
// mistake stands, if it is known.
type refusal struct {
	text string
	line int
}

func (e refusal) Error() string { return e.text }

// inFile names the file, and the line, of a refused input.
func inFile(err error, file string) error {
	var refused refusal
	if !errors.As(err, &refused) {
		return err
	}
	if file == "-" {
		file = "standard input"
	}
	if refused.line > 0 {
		return fmt.Errorf("%s:%d: %s", file, refused.line, refused.text)
	}
	return fmt.Errorf("%s: %s", file, refused.text)
}

// refusalOf reads an error answer.
func refusalOf(answer []byte) refusal {
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Line        int    `json:"line"`
	}
	if json.Unmarshal(answer, &e) != nil || e.Error == "" {
		return refusal{text: string(bytes.TrimSpace(answer))}
	}
	if e.Description != "" {
		return refusal{e.Error + ": " + e.Description, e.Line}
	}
	return refusal{e.Error, e.Line}
}

// readInput reads FILE, or standard input for "-".
func readInput(s *session, file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(s.stdin)
	}
	return os.ReadFile(file)
}

// post sends a file and prints the answer as JSON.
func (w where) post(s *session, path, file string) error {
	body, err := readInput(s, file)
	if err != nil {
		return err
	}
	answer, err := w.ask(s, http.MethodPost, path, body, nil)
	if err != nil {
		return inFile(err, file)
	}
	return printJSON(s, answer)
}

// ask sends a request, and reads the answer into a value if one is given.
func (w where) ask(s *session, method, path string, body []byte, into any) ([]byte, error) {
	r, err := w.connect(s.ctx)
	if err != nil {
		return nil, err
	}
	answer, err := r.ask(s.ctx, method, path, body)
	if err = errors.Join(err, r.close()); err != nil {
		return nil, err
	}
	if into != nil {
		err = json.Unmarshal(answer, into)
	}
	return answer, err
}
