package main

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// sqlite measures a sandbox on SQLite: start, memory, every endpoint, and what is
// written durably.
func (m *measuring) sqlite(binary string) error {
	dir := filepath.Join(m.dir, "sandbox")
	m.say("start")
	s, err := sandbox(binary, dir)
	if err != nil {
		return err
	}
	first := s.took
	if err := s.stop(); err != nil {
		return err
	}
	if s, err = sandbox(binary, dir); err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	m.facts = append(m.facts, fact{"first start, people made", first.String()}, fact{"start with data", s.took.String()}, fact{"resident memory idle", s.memory()})
	w, err := newWorld(m, s)
	if err != nil {
		return err
	}
	if err := w.endpoints(); err != nil {
		return err
	}
	err = w.durable("SQLite", "one fsync after another", func(int) (float64, error) { return m.fsyncs() })
	if err == nil {
		err = w.services("SQLite")
	}
	m.facts = append(m.facts, fact{"resident memory under load", s.memory()})
	return err
}

// postgres measures what is written durably on a server with PostgreSQL.
func (m *measuring) postgres(binary, url string) error {
	m.say("start on PostgreSQL")
	s, err := production(binary, filepath.Join(m.dir, "production"), url, "")
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	w, err := newWorld(m, s)
	if err != nil {
		return err
	}
	err = w.durable("PostgreSQL", "bare one-row commits", func(callers int) (float64, error) { return m.commits(url, callers) })
	if err != nil {
		return err
	}
	return w.services("PostgreSQL")
}

// endpoints measures each path at 16 callers beside a bare handler.
func (w *world) endpoints() error {
	_, token, err := w.approve(w.rs256)
	if err != nil {
		return fmt.Errorf("getting a first token: %w", err)
	}
	for _, f := range []struct{ name, path, body string }{
		{"discovery", "/fhir/.well-known/smart-configuration", ""},
		{"JWKS", "/jwks.json", ""},
		{"userinfo", "/userinfo", ""},
		{"introspection", "/introspect", "token=" + token.AccessToken},
		{"FHIR read", "/fhir/Patient/" + patientID, ""},
		{"FHIR search, 50 laboratory values", "/fhir/Observation?category=laboratory&_count=50", ""},
		{"FHIR search, patient and category", "/fhir/Condition?patient=" + patientID + "&category=problem-list-item", ""},
	} {
		if !w.m.wants(f.name) {
			continue
		}
		w.m.say(f.name)
		if err := w.endpoint(f.name, f.path, f.body, token.AccessToken); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

func (w *world) endpoint(name, path, body, token string) error {
	call := func() (int, error) {
		method := http.MethodGet
		if body != "" {
			method = http.MethodPost
		}
		req, err := http.NewRequest(method, w.base+path, strings.NewReader(body))
		if err != nil {
			return 0, err
		}
		if body != "" {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.SetBasicAuth(w.rs256.ID, w.rs256.Secret)
		} else {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		status, answer, err := w.m.send(req)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("status %d", status)
		}
		return len(answer), err
	}
	size, err := call()
	if err != nil {
		return err
	}
	rate, each, err := w.m.rateOf(w.server, 16, func(int) error { _, err := call(); return err })
	if err != nil {
		return err
	}
	ceiling, err := w.m.bare(16, size)
	w.m.add(figure{name, 16, rate, ceiling, 0, fmt.Sprintf("bare net/http, %d bytes", size), each})
	return err
}

// durable measures redemption, refresh and silent authorization.
func (w *world) durable(database, against string, ceiling func(callers int) (float64, error)) error {
	p, _, err := w.approve(w.rs256)
	if err != nil {
		return fmt.Errorf("getting a first token: %w", err)
	}
	for _, callers := range []int{1, 16} {
		for _, f := range []struct {
			name string
			rate func(int) (float64, time.Duration, error)
		}{{"redeem, ", p.redeem}, {"refresh, ", p.refresh}} {
			if !w.m.wants(f.name + database) {
				continue
			}
			w.m.say(f.name + database)
			top, err := ceiling(callers)
			if err != nil {
				return err
			}
			rate, each, err := f.rate(callers)
			if err != nil {
				return fmt.Errorf("%s%s: %w", f.name, database, err)
			}
			w.m.add(figure{f.name + database, callers, rate, top, 0, against, each})
		}
	}
	if err := w.silent(p, "silent authorization, RS256, "+database); err != nil {
		return err
	}
	if p, _, err = w.approve(w.es256); err != nil {
		return fmt.Errorf("getting a first token: %w", err)
	}
	return w.silent(p, "silent authorization, ES256, "+database)
}

// codeLife is how long a code surely waits; the default is a minute.
const codeLife = 40 * time.Second

// redeem measures codes that were made before.
func (p *person) redeem(callers int) (rate float64, each time.Duration, err error) {
	f, wires, err := p.wired(withoutID, callers)
	if err != nil {
		return 0, 0, err
	}
	defer hangUp(wires)
	codes := make([][]pending, callers)
	began := time.Now()
	for n := 0; n < 2000 && time.Since(began) < codeLife/4; n++ {
		c, err := f.ask(wires[0])
		if err != nil {
			return 0, 0, err
		}
		codes[n%callers] = append(codes[n%callers], c)
	}
	var (
		wg    sync.WaitGroup
		bad   firstError
		count int
	)
	began, before := time.Now(), p.w.processor()
	for i, own := range codes {
		count += len(own)
		wg.Go(func() {
			for _, c := range own {
				if _, err := f.redeem(wires[i], c); err != nil {
					bad.set(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if count == 0 {
		return 0, 0, errors.New("no code was made")
	}
	return float64(count) / time.Since(began).Seconds(), (p.w.processor() - before) / time.Duration(count), bad.get()
}

// refresh measures families that rotate, each caller its own.
func (p *person) refresh(callers int) (rate float64, each time.Duration, err error) {
	f, wires, err := p.wired(withoutID, callers)
	if err != nil {
		return 0, 0, err
	}
	defer hangUp(wires)
	families := make([]answer, callers)
	for i := range families {
		if families[i], err = f.silent(wires[i]); err != nil {
			return 0, 0, err
		}
	}
	return p.w.m.rateOf(p.w.server, callers, func(c int) (err error) {
		families[c], err = f.refresh(wires[c], families[c].RefreshToken)
		return err
	})
}

// silent measures whole authorizations of a person who is not asked. The ceiling is
// RS256 signing, also where the ID token is signed otherwise.
func (w *world) silent(p *person, name string) error {
	if !w.m.wants(name) {
		return nil
	}
	w.m.say(name)
	// Order: the ceiling at both ends, because machines that others use change under us;
	// and no connection before it, which a server would close that hears nothing.
	before, err := w.m.rs256()
	if err != nil {
		return err
	}
	f, wires, err := p.wired(everything, 16)
	if err != nil {
		return err
	}
	defer hangUp(wires)
	rate, each, err := w.m.rateOf(w.server, len(wires), func(caller int) error { _, err := f.silent(wires[caller]); return err })
	if err != nil {
		return err
	}
	after, err := w.m.rs256()
	w.m.add(figure{name, len(wires), rate, (before + after) / 2, 0, "RS256 signing on all cores", each})
	return err
}
