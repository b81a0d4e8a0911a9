package upstream

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	assertionLife = 4 * time.Minute // at most five (SMART App Launch 2.2, client-confidential-asymmetric)
	renewBefore   = 30 * time.Second
	shortestToken = time.Minute
	maxTokenBody  = 64 << 10
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// service gets access tokens for us as a SMART backend service: client credentials,
// proven by an assertion that our key signs.
type service struct {
	cfg    ServiceConfig
	client *http.Client
	wait   time.Duration
	signer jose.Signer
	now    func() time.Time

	mu    sync.Mutex // held while a token is got, so that one is got for all who wait
	token string
	until time.Time
}

func newService(cfg Config, client *http.Client, now func() time.Time) (*service, error) {
	raw, err := os.ReadFile(cfg.BackendService.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("fhir.upstream.backend_service.key_file: %w", err)
	}
	var key jose.JSONWebKey
	if err := json.Unmarshal(raw, &key); err != nil || !key.Valid() || key.IsPublic() || key.Algorithm == "" || key.KeyID == "" {
		return nil, errors.New("fhir.upstream.backend_service.key_file: expected one private JSON Web Key with kid and alg")
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, options)
	if err != nil {
		return nil, fmt.Errorf("fhir.upstream.backend_service.key_file: %w", err)
	}
	return &service{cfg: cfg.BackendService, client: client, wait: cfg.Timeout, signer: signer, now: now}, nil
}

func (s *service) sign(ctx context.Context, r *http.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == "" || !s.now().Before(s.until) {
		if err := s.get(ctx); err != nil {
			return fmt.Errorf("getting a token for the upstream: %w", err)
		}
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	return nil
}

// renew forgets a token that was refused.
func (s *service) renew() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = ""
	return true
}

// get asks the token endpoint (RFC 6749 §4.4, RFC 7523 §2.2).
func (s *service) get(ctx context.Context) error {
	assertion, err := s.assertion()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	form := url.Values{
		"grant_type": {"client_credentials"}, "scope": {s.cfg.Scope}, "client_assertion_type": {assertionType}, "client_assertion": {assertion},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.TokenEndpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", formEncoded)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	asked := s.now()
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxTokenBody))
	if err != nil {
		return err
	}
	return s.keep(asked, resp.StatusCode, body)
}

// keep remembers a token until shortly before its end.
func (s *service) keep(asked time.Time, status int, body []byte) error {
	var answer struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int64  `json:"expires_in"`
		Error       string `json:"error"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || status != http.StatusOK {
		return fmt.Errorf("the token endpoint answered with status %d %.40q", status, answer.Error)
	}
	if answer.AccessToken == "" || !strings.EqualFold(answer.TokenType, "bearer") ||
		strings.ContainsFunc(answer.AccessToken, func(r rune) bool { return r <= 0x20 || r >= 0x7f }) {
		return errors.New("the token endpoint answered without a bearer token")
	}
	life := max(time.Duration(min(answer.ExpiresIn, 24*60*60))*time.Second-renewBefore, shortestToken)
	s.token, s.until = answer.AccessToken, asked.Add(life)
	return nil
}

// assertion is a fresh proof, good once (SMART App Launch 2.2,
// client-confidential-asymmetric).
func (s *service) assertion() (string, error) {
	now := s.now()
	return jwt.Signed(s.signer).Claims(jwt.Claims{
		Issuer: s.cfg.ClientID, Subject: s.cfg.ClientID, Audience: jwt.Audience{s.cfg.TokenEndpoint},
		ID: rand.Text(), IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(assertionLife)),
	}).Serialize()
}
