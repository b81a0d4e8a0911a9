package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// assertionLife is how far exp lies ahead; signing and sending take less.
	assertionLife = 4 * time.Minute
	// assertionsPerSecond of a figure are signed before the clock starts, in at most
	// signingTime.
	assertionsPerSecond = 4000
	signingTime         = 15 * time.Second
)

// verifier is an algorithm of assertions with a key, and the rate at which the
// standard library alone verifies on all cores.
type verifier struct {
	algorithm jose.SignatureAlgorithm
	key       crypto.Signer
	rate      float64
}

// verifying measures one verification after another on all cores, by
// ecdsa.VerifyASN1 and rsa.VerifyPKCS1v15 of the standard library.
func (m *measuring) verifying() error {
	m.say("verifying")
	e, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return err
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	digest := make([]byte, crypto.SHA384.Size())
	byE, errE := ecdsa.SignASN1(rand.Reader, e, digest)
	byR, errR := rsa.SignPKCS1v15(nil, r, crypto.SHA384, digest)
	if err := errors.Join(errE, errR); err != nil {
		return err
	}
	for _, one := range []struct {
		verifier
		verify func() error
	}{
		{verifier{algorithm: jose.ES384, key: e}, func() error {
			if !ecdsa.VerifyASN1(&e.PublicKey, digest, byE) {
				return errors.New("an ES384 signature does not verify")
			}
			return nil
		}},
		{verifier{algorithm: jose.RS384, key: r}, func() error { return rsa.VerifyPKCS1v15(&r.PublicKey, crypto.SHA384, digest, byR) }},
	} {
		cores := runtime.NumCPU()
		if one.rate, err = m.rate(cores, func(int) error { return one.verify() }); err != nil {
			return err
		}
		m.add(figure{Name: string(one.algorithm) + " verification, all cores", Callers: cores, Rate: one.rate})
		m.verifiers = append(m.verifiers, one.verifier)
	}
	return nil
}

// services measures backend services that ask for a token each time, with a new
// assertion for each request: read, verified, spent durably and answered.
func (w *world) services(database string) error {
	for _, v := range w.m.verifiers {
		name := "client_credentials, " + string(v.algorithm) + ", " + database
		if !w.m.wants(name) {
			continue
		}
		w.m.say(name)
		rate, each, err := w.service(v, 16)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		w.m.add(figure{name, 16, rate, v.rate, 0, string(v.algorithm) + " verification on all cores", each})
	}
	return nil
}

// service registers a backend service and measures its requests.
func (w *world) service(v verifier, callers int) (rate float64, each time.Duration, err error) {
	key := jose.JSONWebKey{Key: v.key, KeyID: "load", Algorithm: string(v.algorithm), Use: "sig"}
	var registered app
	err = w.command(map[string]any{
		"client_name": "Load " + string(v.algorithm), "token_endpoint_auth_method": "private_key_jwt", "grant_types": []string{"client_credentials"},
		"scope": "system/*.rs", "jwks": jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}},
	}, &registered, "client", "add")
	if err != nil {
		return 0, 0, err
	}
	forms, err := w.signed(key, registered.ID)
	if err != nil {
		return 0, 0, err
	}
	if err := w.ask(forms[0]); err != nil { // the key set is read once
		return 0, 0, err
	}
	before := w.processor()
	rate, err = spend(forms[1:], callers, w.ask)
	return rate, (w.processor() - before) / time.Duration(max(1, len(forms)-1)), err
}

// signed are bodies of token requests, each with an assertion of its own.
func (w *world) signed(key jose.JSONWebKey, client string) ([]string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, err
	}
	var (
		forms = make([]string, 100+int(assertionsPerSecond*w.m.each.Seconds()))
		next  atomic.Int64
		bad   firstError
		wg    sync.WaitGroup
	)
	began := time.Now()
	for range runtime.NumCPU() {
		wg.Go(func() {
			for time.Since(began) < signingTime && !bad.any() {
				n := next.Add(1) - 1
				if n >= int64(len(forms)) {
					return
				}
				text, err := assertion(signer, client, w.base+"/token")
				if err != nil {
					bad.set(err)
					return
				}
				forms[n] = url.Values{
					"grant_type": {"client_credentials"}, "scope": {"system/Patient.rs"}, "client_assertion_type": {assertionType}, "client_assertion": {text},
				}.Encode()
			}
		})
	}
	wg.Wait()
	return forms[:min(next.Load(), int64(len(forms)))], bad.get()
}

func assertion(signer jose.Signer, client, audience string) (string, error) {
	claims, err := json.Marshal(map[string]any{
		"iss": client, "sub": client, "aud": audience, "exp": time.Now().Add(assertionLife).Unix(), "jti": rand.Text(),
	})
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// ask sends one token request.
func (w *world) ask(form string) error {
	req, err := http.NewRequest(http.MethodPost, w.base+"/token", strings.NewReader(form))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, body, err := w.m.send(req)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("token endpoint: %d %s", status, body)
	}
	return err
}

// spend is the rate at which so many callers use things up.
func spend(things []string, callers int, use func(string) error) (float64, error) {
	if len(things) == 0 {
		return 0, errors.New("nothing was made")
	}
	var (
		next atomic.Int64
		bad  firstError
		wg   sync.WaitGroup
	)
	began := time.Now()
	for range callers {
		wg.Go(func() {
			for !bad.any() {
				n := next.Add(1) - 1
				if n >= int64(len(things)) {
					return
				}
				if err := use(things[n]); err != nil {
					bad.set(err)
				}
			}
		})
	}
	wg.Wait()
	return float64(len(things)) / time.Since(began).Seconds(), bad.get()
}
