package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	maxBody   = 4 << 20 // of an answer, in bytes
	maxHeader = 64 << 10
)

// ErrElsewhere: the request would leave the origins that were named.
var ErrElsewhere = errors.New("is on an origin that this run may not speak to; name it with --origin to allow it")

// Wire sends requests to the named origins and to nobody else.
type Wire struct {
	origins   []string
	transport *http.Transport
}

// NewWire allows the origins of the URLs.
func NewWire(urls ...string) (*Wire, error) {
	w := &Wire{}
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
			return nil, fmt.Errorf("%q is not an absolute http or https URL without a user", text)
		}
		w.origins = append(w.origins, Origin(u))
	}
	w.transport = &http.Transport{
		MaxResponseHeaderBytes: maxHeader, ResponseHeaderTimeout: time.Minute, TLSHandshakeTimeout: 15 * time.Second,
		MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
	}
	return w, nil
}

// Close lets go of idle connections.
func (w *Wire) Close() { w.transport.CloseIdleConnections() }

// Origin is scheme and host of a URL, lower case, without a default port.
func Origin(u *url.URL) string {
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	}
	return scheme + "://" + host
}

// Allows reports whether requests may go to the origin of u.
func (w *Wire) Allows(u *url.URL) bool { return slices.Contains(w.origins, Origin(u)) }

// Answer is what a server said.
type Answer struct {
	URL    *url.URL
	Status int
	Header http.Header
	Body   []byte
	// Object is the body when that is one JSON object, else nil.
	Object map[string]any
}

// Do sends one request and reads its answer whole. A redirect is an answer.
func (w *Wire) Do(ctx context.Context, req *http.Request) (Answer, error) {
	if !w.Allows(req.URL) {
		return Answer{}, fmt.Errorf("%s %w", Origin(req.URL), ErrElsewhere)
	}
	// A http.Client would follow, or refuse a Location that it cannot read.
	resp, err := w.transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return Answer{}, fmt.Errorf("reading the answer: %w", err)
	}
	if len(body) > maxBody {
		return Answer{}, fmt.Errorf("the answer is larger than %d bytes", maxBody)
	}
	a := Answer{URL: req.URL, Status: resp.StatusCode, Header: resp.Header, Body: body}
	dec := json.NewDecoder(bytes.NewReader(body))
	if dec.Decode(&a.Object) != nil || dec.More() {
		a.Object = nil
	}
	return a, nil
}

// Text is a member of the object that is a string, else empty.
func (a Answer) Text(name string) string {
	s, _ := a.Object[name].(string)
	return s
}

// Has reports whether the object has the member.
func (a Answer) Has(name string) bool {
	_, ok := a.Object[name]
	return ok
}

// List is a member that is an array of strings only.
func (a Answer) List(name string) (list []string, ok bool) {
	values, ok := a.Object[name].([]any)
	if !ok {
		return nil, false
	}
	for _, v := range values {
		s, isText := v.(string)
		if !isText {
			return nil, false
		}
		list = append(list, s)
	}
	return list, true
}

// Lists reports whether the member is an array that has the value.
func (a Answer) Lists(name, value string) bool {
	list, _ := a.List(name)
	return slices.Contains(list, value)
}

// MediaType is the media type without parameters.
func (a Answer) MediaType() string {
	m, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil {
		return a.Header.Get("Content-Type")
	}
	return m
}

// NewRequest makes a request; a form is sent as the body. Pairs of headers follow.
func NewRequest(method, target string, form url.Values, headers ...string) (*http.Request, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, target, body)
	if err != nil {
		return nil, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	return req, nil
}
