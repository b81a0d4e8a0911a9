package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// gateway measures the server in front of a canned upstream beside proxies that check
// nothing, in front of the same one: how much, and how much later at half of that.
func (m *measuring) gateway(binary string) error {
	m.say("start in front of an upstream")
	up, err := startChild("canned-upstream", "")
	if err != nil {
		return err
	}
	defer up.stop()
	s, err := production(binary, filepath.Join(m.dir, "gateway"), "", "fhir:\n  upstream: { url: \"http://"+up.address+"/fhir\" }\n")
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	w, err := newWorldOn(m, s, nil)
	if err != nil {
		return err
	}
	_, token, err := w.approve(w.rs256)
	if err != nil {
		return fmt.Errorf("getting a first token: %w", err)
	}
	plain, err := startChild("plain-proxy", up.address)
	if err != nil {
		return err
	}
	defer plain.stop()
	quick, err := m.nginx(up.address)
	if err != nil {
		return err
	}
	if quick != nil {
		defer quick.stop()
	} else {
		m.facts = append(m.facts, fact{"nginx", "not installed here, so the gateway is not beside it"})
	}
	for _, row := range []struct{ name, path string }{
		{"gateway, read", "/fhir/Observation/load-value-1"},
		{"gateway, search of 50", "/fhir/Observation?category=laboratory&_count=50"},
	} {
		if !m.wants(row.name) {
			continue
		}
		m.say(row.name)
		through := func(address string) func(int) error { return m.getter("http://"+address+row.path, token.AccessToken) }
		if err := m.beside(s, row.name, through(s.base[len("http://"):]), through(plain.address), "net/http/httputil's proxy"); err != nil {
			return err
		}
		if quick != nil {
			if err := m.beside(s, row.name, through(s.base[len("http://"):]), through(quick.address), "nginx"); err != nil {
				return err
			}
		}
	}
	return nil
}

// getter asks for one thing again and again.
func (m *measuring) getter(target, token string) func(int) error {
	return func(int) error {
		req, err := http.NewRequest(http.MethodGet, target, nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		status, body, err := m.send(req)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%s: status %d: %.200s", target, status, body)
		}
		return err
	}
}

// beside measures both at 16 callers, and then at a half and a quarter of what the
// gateway can: how much later the last of a hundred answers comes through it. Client,
// proxy and upstream share the processors, which are well more than half busy at half
// of that rate: how busy is said beside it.
func (m *measuring) beside(s *server, name string, gateway, proxy func(int) error, against string) error {
	top, err := m.rate(16, proxy)
	if err != nil {
		return err
	}
	rate, each, err := m.rateOf(s, 16, gateway)
	if err != nil {
		return err
	}
	m.add(figure{name, 16, rate, top, 0, against, each})
	for _, part := range []struct {
		of   string
		pace float64
	}{{"half", rate / 2}, {"a quarter", rate / 4}} {
		through, err := m.late(part.pace, gateway)
		if err != nil {
			return err
		}
		without, err := m.late(part.pace, proxy)
		if err != nil {
			return err
		}
		m.facts = append(m.facts, fact{fmt.Sprintf("%s, late at %s of that rate, beside %s", name, part.of, against), fmt.Sprintf(
			"median %v beside %v, of a hundred the last %v beside %v: %v more; processors %.0f%% and %.0f%% busy", through.median, without.median,
			through.p99, without.p99, (through.p99 - without.p99).Round(time.Microsecond), through.busy*100, without.busy*100)})
	}
	return nil
}

// nginx starts it as a plain proxy; nil where it is not installed.
func (m *measuring) nginx(upstream string) (*child, error) {
	path, err := exec.LookPath("nginx")
	if err != nil {
		return nil, nil //nolint:nilnil // there is none, and that is said
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	dir := filepath.Join(m.dir, "nginx")
	if err := errors.Join(l.Close(), os.MkdirAll(dir, 0o755)); err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, []byte(nginxConfig(dir, address, upstream)), 0o600); err != nil {
		return nil, err
	}
	c := &child{exec.Command(path, "-c", config, "-e", filepath.Join(dir, "start.log")), address}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	for range 100 {
		if conn, err := net.Dial("tcp", address); err == nil {
			return c, conn.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	c.stop()
	return nil, errors.New("nginx did not start")
}
