package egress

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// ErrAnswer: the other side has answered, and not with status 200 within the bounds.
// Any other error says that there was no answer.
var ErrAnswer = errors.New("egress: not an answer that is taken")

const (
	timeout    = 5 * time.Second
	perHost    = 2
	maxHeaders = 16 << 10
)

// Deps are what a Client is made of; the zero value of each is the safe choice.
type Deps struct {
	Policy Policy
	// Roots judge the certificates of servers; nil: those of the system.
	Roots *x509.CertPool
	// Resolver finds addresses; nil: the system's.
	Resolver *net.Resolver
	// PerHost is how many connections one host is given at once; 0: two.
	PerHost int
}

// Client fetches within a Policy. It is safe for concurrent use.
type Client struct {
	policy Policy
	http   *http.Client
}

// New makes a Client.
func New(deps Deps) *Client {
	dialer := &net.Dialer{Timeout: timeout, Control: deps.Policy.control, Resolver: deps.Resolver}
	transport := &http.Transport{
		Proxy: nil, DialContext: newPlaces(dialer.DialContext).connect, TLSClientConfig: &tls.Config{RootCAs: deps.Roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: timeout, ResponseHeaderTimeout: timeout, MaxResponseHeaderBytes: maxHeaders, MaxConnsPerHost: cmp.Or(deps.PerHost, perHost),
		DisableKeepAlives: true, DisableCompression: true, ForceAttemptHTTP2: false,
	}
	return &Client{policy: deps.Policy, http: &http.Client{
		Transport: transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// control is called with the address that is about to be dialled: the one that is
// used, whatever a name resolved to before (attack DC-05).
func (p Policy) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !p.admitsDial(to) {
		return ErrRefused
	}
	return nil
}

// Response is an answer with status 200.
type Response struct {
	Header http.Header
	Body   []byte
}

// Get fetches a URL, with a body of at most limit bytes. Any status but 200, a
// redirect too, is an error. It ends within seconds whatever the other side does.
func (c *Client) Get(ctx context.Context, text string, limit int64) (Response, error) {
	return c.fetch(ctx, http.MethodGet, text, nil, limit)
}

// Form is what is sent to another server: values and, for one that the operator
// named, the credentials for it (Basic, RFC 6749 §2.3.1).
type Form struct {
	Values       url.Values
	User, Secret string
}

// Ask sends a form to a URL that the operator named, within the bounds of Get.
func (c *Client) Ask(ctx context.Context, text string, form Form, limit int64) (Response, error) {
	return c.fetch(ctx, http.MethodPost, text, &form, limit)
}

func (c *Client) fetch(ctx context.Context, method, text string, form *Form, limit int64) (Response, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	resp, err := c.send(ctx, method, text, form)
	if err != nil {
		return Response{}, err
	}
	defer resp.Body.Close()
	return taken(resp, limit)
}

// taken reads an answer within the bounds.
func taken(resp *http.Response, limit int64) (Response, error) {
	if resp.StatusCode != http.StatusOK {
		return Response{}, fmt.Errorf("%w: status %d", ErrAnswer, resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return Response{}, fmt.Errorf("fetching: %w", err)
	}
	if int64(len(body)) > limit {
		return Response{}, fmt.Errorf("%w: larger than %d bytes", ErrAnswer, limit)
	}
	return Response{resp.Header, body}, nil
}

// Post sends a form to a URL and returns the status of the answer, a redirect's too;
// nothing of its body is read. It ends within seconds whatever the other side does.
func (c *Client) Post(ctx context.Context, text string, form url.Values) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	resp, err := c.send(ctx, http.MethodPost, text, &Form{Values: form})
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// send makes a request within the policy; the caller closes the body.
func (c *Client) send(ctx context.Context, method, text string, form *Form) (*http.Response, error) {
	u, err := c.policy.CheckURL(text)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Values.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if form != nil && form.User != "" {
		req.SetBasicAuth(url.QueryEscape(form.User), url.QueryEscape(form.Secret))
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "Emberlatch")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking: %w", err)
	}
	return resp, nil
}
