package main

import (
	"crypto/rsa"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"sync"
	"sync/atomic"
	"time"
)

// measuring runs the figures one after another.
type measuring struct {
	each     time.Duration
	client   *http.Client
	dir      string         // for everything that is written
	progress bool           // name each figure on standard error while it is measured
	rows     *regexp.Regexp // what is measured

	rsaKey    *rsa.PrivateKey // of the ceiling
	verifiers []verifier      // of assertions
	figures   []figure
	facts     []fact
}

func loadClient() *http.Client {
	return &http.Client{
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (m *measuring) say(name string) {
	if m.progress {
		fmt.Fprintln(os.Stderr, "measuring", name)
	}
}

// wants reports whether a figure is measured.
func (m *measuring) wants(name string) bool { return m.rows.MatchString(name) }

func (m *measuring) add(f figure) {
	if f.Ceiling > 0 {
		f.Ratio = f.Rate / f.Ceiling
	}
	m.figures = append(m.figures, f)
}

// rate calls do from so many callers for the time of one figure, after a tenth of
// that time in which nothing is counted.
func (m *measuring) rate(callers int, do func(caller int) error) (float64, error) {
	if _, _, err := repeat(callers, m.each/10, do); err != nil {
		return 0, err
	}
	n, took, err := repeat(callers, m.each, do)
	return float64(n) / took.Seconds(), err
}

// rateOf is rate, with what one call takes of the server's processor time.
func (m *measuring) rateOf(s *server, callers int, do func(caller int) error) (rate float64, each time.Duration, err error) {
	if _, _, err := repeat(callers, m.each/10, do); err != nil {
		return 0, 0, err
	}
	before := s.processor()
	n, took, err := repeat(callers, m.each, do)
	if n > 0 {
		each = (s.processor() - before) / time.Duration(n)
	}
	return float64(n) / took.Seconds(), each, err
}

// repeat tells how many calls were made, in which time.
func repeat(callers int, each time.Duration, do func(caller int) error) (int64, time.Duration, error) {
	var (
		count atomic.Int64
		bad   firstError
		wg    sync.WaitGroup
	)
	began := time.Now()
	for c := range callers {
		wg.Go(func() {
			for time.Since(began) < each && !bad.any() {
				if err := do(c); err != nil {
					bad.set(err)
					return
				}
				count.Add(1)
			}
		})
	}
	wg.Wait()
	return count.Load(), time.Since(began), bad.get()
}

// firstError keeps the first error of many callers.
type firstError struct{ p atomic.Pointer[error] }

func (e *firstError) set(err error) { e.p.CompareAndSwap(nil, &err) }
func (e *firstError) any() bool     { return e.p.Load() != nil }
func (e *firstError) get() error {
	if p := e.p.Load(); p != nil {
		return *p
	}
	return nil
}

// send sends a request and reads the whole answer.
func (m *measuring) send(req *http.Request) (int, []byte, error) {
	resp, err := m.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}
