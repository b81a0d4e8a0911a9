package door

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// NewServer is an http.Server with the limits of E-37 of the security design. It
// speaks HTTP/1.1, and HTTP/2 over TLS only.
func NewServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		TLSConfig:   &tls.Config{MinVersion: tls.VersionTLS12}, // Go's suites for 1.2 keep past sessions secret
		HTTP2:       &http.HTTP2Config{MaxConcurrentStreams: 100},
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return context.Background() },
	}
}
