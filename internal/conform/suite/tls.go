package suite

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// oldTLS offers TLS 1.1 at most; the handshake must fail (45 CFR 170.315(g)(10)(iv)).
func oldTLS(ctx context.Context, p *probe.Probe) Verdict {
	u, err := url.Parse(p.Base)
	if err != nil {
		return unknown(err)
	}
	switch {
	case u.Scheme != "https" && agent.Loopback(u):
		return absent("the base is http on loopback")
	case u.Scheme != "https":
		return fail("the base is http")
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return unknown(err)
	}
	defer conn.Close()
	offer := &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} //nolint:gosec // that is what is asked
	err = tls.Client(conn, offer).HandshakeContext(ctx)
	var certificate *tls.CertificateVerificationError
	switch {
	case err == nil, errors.As(err, &certificate): // a certificate is shown after the version is agreed
		return fail("the server agrees to TLS 1.1")
	case ctx.Err() != nil:
		return unknown(err)
	}
	return pass("TLS 1.1 is refused")
}
