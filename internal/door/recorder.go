package door

import (
	"net/http"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

// recorder remembers the status, and which error was told.
type recorder struct {
	http.ResponseWriter
	code   int
	wrote  bool
	broken bool // a panic came when a part of the answer was sent
	issuer string
	told   *told // nil: no error
}

// told is an error as the log names it: by the catalogue, never in words that came
// from outside.
type told struct {
	code oauth.Code
	slug oauth.Slug
}

// Note names the error that a request is answered with, whether as JSON, on a page or
// by a redirect, in the one line that is logged for it. It returns the issuer, whose
// page explains the errors; empty for an answer that does not pass the chain. The
// writer is looked through as http.ResponseController does.
func Note(w http.ResponseWriter, code oauth.Code, slug oauth.Slug) (issuer string) {
	for {
		if r, ok := w.(*recorder); ok {
			r.told = &told{code, slug}
			return r.issuer
		}
		inner, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return ""
		}
		w = inner.Unwrap()
	}
}

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) {
	if !w.wrote && status >= 200 {
		w.code, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(b []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) status() int {
	if w.code == 0 {
		return http.StatusOK
	}
	return w.code
}
