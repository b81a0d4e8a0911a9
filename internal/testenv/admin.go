package testenv

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// Admin sends a request to the operators' socket, as the command line does.
func (e *Env) Admin(method, path, body string) Answer {
	e.t.Helper()
	req, err := http.NewRequest(method, "http://emberlatch"+path, strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	transport := e.admin
	if transport == nil {
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(e.DataDir, "admin.sock"))
		}
		transport = &http.Transport{DialContext: dial, DisableKeepAlives: true}
	}
	operator := &Env{t: e.t, client: &http.Client{Timeout: 20 * time.Second, Transport: transport}}
	return operator.Send(req)
}

// Register registers an app from its metadata (RFC 7591 §2).
func (e *Env) Register(metadata string) *Client {
	e.t.Helper()
	return e.Registered(e.Admin(http.MethodPost, "/clients", metadata))
}
