package upstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/http1"
)

const (
	maxHeaders  = 64 << 10
	readBuffer  = 32 << 10
	idleTime    = 90 * time.Second
	maxLogged   = 2 << 10 // of what the upstream says about an error
	tripAfter   = 5       // failures in a row
	openFor     = 5 * time.Second
	longQuery   = 1500 // bytes; longer ones go in a body
	fhirJSON    = "application/fhir+json"
	userAgent   = "Emberlatch"
	formEncoded = "application/x-www-form-urlencoded"
)

// errTooLarge: an answer is larger than is read.
var errTooLarge = errors.New("upstream: the answer is too large")

// client speaks to the one upstream. Every request is made anew here: no header,
// cookie or token of a caller is at hand (RS-07, RS-08).
type client struct {
	cfg     Config
	up      *http1.Transport // to the upstream, and nowhere else
	tokens  *http.Client     // to the token endpoint of a backend service
	proof   credentials
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]
	observe Observer
	log     *slog.Logger
	now     func() time.Time
	// requestID is under what the caller can ask about an answer.
	requestID func(ctx context.Context) string
}

func newClient(deps Deps) (*client, error) {
	cfg := deps.Config.withDefaults()
	security, err := tlsConfig(cfg)
	if err != nil {
		return nil, err
	}
	c := &client{cfg: cfg, tokens: newHTTP(cfg, security), observe: deps.Observe, log: deps.Log, now: deps.Now, requestID: deps.RequestID}
	if c.up, err = newUp(cfg, security); err != nil {
		return nil, err
	}
	if c.proof, err = newCredentials(cfg, c.tokens, deps.Now); err != nil {
		return nil, err
	}
	c.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name: "upstream", MaxRequests: 1, Timeout: openFor,
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= tripAfter },
		IsExcluded:  func(err error) bool { return errors.Is(err, context.Canceled) }, // the caller gave up
	})
	return c, nil
}

// newUp is the way to the upstream. Its address may be a private one: the operator named
// it, no stranger did.
func newUp(cfg Config, security *tls.Config) (*http1.Transport, error) {
	server, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	return http1.New(http1.Config{
		Server: server, TLS: security, DialTimeout: cfg.Timeout, IdleTime: idleTime,
		MaxConnections: cfg.MaxConnections, MaxHeaders: maxHeaders, ReadBuffer: readBuffer,
	})
}

// newHTTP is for tokens: no proxy of the environment, no redirect, no cookie, nothing
// unpacked.
func newHTTP(cfg Config, security *tls.Config) *http.Client {
	dialer := &net.Dialer{Timeout: cfg.Timeout}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, TLSClientConfig: security, TLSHandshakeTimeout: cfg.Timeout,
			ResponseHeaderTimeout: cfg.Timeout, MaxResponseHeaderBytes: maxHeaders, IdleConnTimeout: idleTime, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func tlsConfig(cfg Config) (*tls.Config, error) {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if cfg.CAFile != "" {
		pem, err := os.ReadFile(cfg.CAFile)
		if err != nil {
			return nil, fmt.Errorf("fhir.upstream.ca_file: %w", err)
		}
		if t.RootCAs = x509.NewCertPool(); !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("fhir.upstream.ca_file: %s holds no certificate", cfg.CAFile)
		}
	}
	if cfg.ClientCertFile != "" {
		pair, err := tls.LoadX509KeyPair(cfg.ClientCertFile, cfg.ClientKeyFile)
		if err != nil {
			return nil, fmt.Errorf("fhir.upstream.client_cert_file: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

// get reads what is at a path below the base, which is made of checked parts.
func (c *client) get(ctx context.Context, path string) ([]byte, error) {
	return c.do(ctx, call{method: http.MethodGet, path: path})
}

// search asks for a page of a type.
func (c *client) search(ctx context.Context, t fhir.ResourceType, query string) ([]byte, error) {
	return c.do(ctx, searching(t, query))
}

// lend makes a call whose answer the caller gives back, when all that stands in it has
// been written.
func (c *client) lend(ctx context.Context, r call) ([]byte, error) {
	r.lent = true
	return c.do(ctx, r)
}

// searching asks by POST when the query is long, so that no server on the way cuts it.
func searching(t fhir.ResourceType, query string) call {
	if len(query) > longQuery {
		return call{method: http.MethodPost, path: "/" + string(t) + "/_search", body: query, kind: formEncoded}
	}
	path := "/" + string(t)
	if query != "" {
		path += "?" + query
	}
	return call{method: http.MethodGet, path: path}
}

// call is one request, below the base.
type call struct {
	method, path string
	body, kind   string // with its media type
	header       http.Header
	lent         bool // the answer is given back
}

// changes reports whether the call is to change something.
func (r call) changes() bool { return r.method != http.MethodGet && r.kind != formEncoded }

// prefer is what the answer should be like (FHIR R4 http §3.1.0.1.7).
func (r call) prefer() string {
	if r.changes() {
		return "return=representation"
	}
	return "handling=strict"
}

// answer is what came back.
type answer struct {
	status int
	body   []byte
	header http.Header
}

// do makes one call, and once more when our token was not good any longer. Errors are
// fhirstore.ErrNotFound, errTooLarge, an OperationOutcome of ours, or a Failure.
func (c *client) do(ctx context.Context, r call) ([]byte, error) {
	got, err := c.renewing(ctx, r)
	if err != nil {
		return nil, err
	}
	return c.judge(ctx, got.status, got.body)
}

func (c *client) renewing(ctx context.Context, r call) (answer, error) {
	got, err := c.once(ctx, r)
	if err == nil && got.status == http.StatusUnauthorized && c.proof.renew() {
		got, err = c.once(ctx, r)
	}
	return got, err
}

// once is one call behind the breaker.
func (c *client) once(ctx context.Context, r call) (got answer, err error) {
	done, err := c.breaker.Allow()
	if err != nil {
		c.observe.Call("unreachable", 0)
		return answer{}, &fhirstore.Failure{Status: http.StatusServiceUnavailable, Cause: err}
	}
	began := c.now()
	got, err = c.exchange(ctx, r)
	outcome, status := outcomeOf(got.status, err), got.status
	c.observe.Call(outcome, c.now().Sub(began))
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		done(context.Canceled)
	case outcome == "unreachable" || outcome == "slow" || status > http.StatusInternalServerError:
		done(errors.New(outcome)) // a 500 may come of one request alone, and closes the door to nobody else
	default:
		done(nil)
	}
	return got, err
}

func (c *client) exchange(ctx context.Context, r call) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, c.cfg.URL+r.path, strings.NewReader(r.body))
	if err != nil {
		return answer{}, &fhirstore.Failure{Status: http.StatusBadGateway, Cause: err}
	}
	if r.header != nil {
		req.Header = r.header.Clone()
	}
	if r.body == "" {
		req.Body, req.ContentLength = http.NoBody, 0
	} else {
		req.Header.Set("Content-Type", r.kind)
	}
	req.Header.Set("Accept", fhirJSON)
	req.Header.Set("Prefer", r.prefer())
	req.Header.Set("User-Agent", userAgent)
	if err := c.proof.sign(ctx, req); err != nil {
		return answer{}, failure(err)
	}
	resp, err := c.up.RoundTrip(req)
	if err != nil {
		return answer{}, failure(err)
	}
	defer resp.Body.Close()
	var body []byte
	if r.changes() {
		body = readMade(resp, c.cfg.MaxAnswer)
	} else {
		body, err = readBody(resp, c.cfg.MaxAnswer, r.lent)
	}
	return answer{resp.StatusCode, body, resp.Header}, err
}

// readBody reads a successful answer if it is JSON as it stands, and of any other the
// beginning, for the log.
func readBody(resp *http.Response, limit int64, lent bool) ([]byte, error) {
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxLogged)) // for the log; there may be less
		return body, nil
	}
	if err := plainJSON(resp.Header); err != nil {
		return nil, &fhirstore.Failure{Status: http.StatusBadGateway, Cause: err}
	}
	body, err := readWhole(resp, limit)
	if lent || err != nil {
		return body, err
	}
	defer giveBack(body)
	return bytes.Clone(body), nil
}

// plainJSON: what is not JSON in UTF-8, or packed, is not verified (row 114).
func plainJSON(h http.Header) error {
	if e := h.Get("Content-Encoding"); e != "" && e != "identity" {
		return errors.New("the answer is compressed, which nobody asked for")
	}
	media, parameters, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || media != fhirJSON && media != "application/json" {
		return errors.New("the answer is not FHIR JSON")
	}
	if set := parameters["charset"]; set != "" && !strings.EqualFold(set, "utf-8") {
		return errors.New("the answer is not in UTF-8")
	}
	return nil
}

// judge turns a status into what callers are told: never the upstream's own words,
// which may name hidden resources (rows 106, 107).
func (c *client) judge(ctx context.Context, status int, body []byte) ([]byte, error) {
	switch status {
	case http.StatusOK:
		return body, nil
	case http.StatusGone:
		return nil, fhirstore.ErrGone
	case http.StatusNotFound:
		return nil, fhirstore.ErrNotFound
	}
	c.log.WarnContext(ctx, "the upstream refused a request or failed", "status", status, "body", string(body), "id", c.requestID(ctx))
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return nil, refused("", "The server that holds the records does not answer this search: it may lack a parameter, modifier or prefix. Ask with fewer of them.")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		status = http.StatusServiceUnavailable
	case http.StatusGatewayTimeout:
	default: // redirects and our own lack of rights as well (row 105)
		return nil, &fhirstore.Failure{Status: http.StatusBadGateway, Cause: fmt.Errorf("it answered with status %d", status)}
	}
	return nil, &fhirstore.Failure{Status: status, Cause: fmt.Errorf("it answered with status %d", status)}
}

// failure says whether nobody answered, or too late, or what came broke off.
func failure(err error) error {
	var already *fhirstore.Failure
	var timeout net.Error
	var dial *net.OpError
	status := http.StatusBadGateway
	switch {
	case errors.As(err, &already):
		return err
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		status = http.StatusGatewayTimeout
	case errors.As(err, &dial) && dial.Op == "dial":
		status = http.StatusServiceUnavailable
	}
	return &fhirstore.Failure{Status: status, Cause: err}
}

// outcomeOf is the label of a call.
func outcomeOf(status int, err error) string {
	var f *fhirstore.Failure
	switch {
	case errors.As(err, &f) && f.Status == http.StatusGatewayTimeout:
		return "slow"
	case errors.As(err, &f) && f.Status == http.StatusServiceUnavailable:
		return "unreachable"
	case err != nil || status >= http.StatusInternalServerError:
		return "failed"
	case status == http.StatusNotFound || status == http.StatusGone:
		return "not-found"
	case status != http.StatusOK && status != http.StatusCreated && status != http.StatusNoContent:
		return "refused"
	}
	return "ok"
}

// fingerprint stands for a version that the upstream does not name.
func fingerprint(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}
