package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/emberlatch/emberlatch/internal/sandbox"
	"github.com/emberlatch/emberlatch/internal/upstream"
)

// sandboxUpstream is the configuration of `dev --upstream`. A sandbox holds nobody's
// records, so http will do.
func sandboxUpstream(u sandbox.Upstream) upstream.Config {
	if u.URL == "" {
		return upstream.Config{}
	}
	return upstream.Config{URL: u.URL, CredentialsFile: u.CredentialsFile, AnyHTTP: true}
}

func (o SandboxOptions) upstream() sandbox.Upstream {
	return sandbox.Upstream{URL: o.Upstream, CredentialsFile: o.UpstreamCredentials}
}

// sameRecords: the logins of a folder belong to the records that they were made for.
func sameRecords(o SandboxOptions) error {
	known, ok := sandbox.ReadJSON(o.DataDir)
	if !ok || known.Upstream.URL == o.Upstream {
		return nil
	}
	of := "its own records"
	if known.Upstream.URL != "" {
		of = "the records of " + known.Upstream.URL
	}
	return fmt.Errorf("--data: the sandbox in %s was made for %s; say --reset to begin anew, or --data with another folder", o.DataDir, of)
}

// samplePeople are who can sign in. With an upstream they are people whose records it
// holds: the same at every start; the sample people, if they are there; those of its
// own otherwise. An empty one on this machine gets the sample people.
func (a *App) samplePeople(ctx context.Context, o SandboxOptions) (sandbox.Data, error) {
	made, err := sandbox.Generate(o.People, time.Now())
	if err != nil || a.upstream == nil {
		return made, err
	}
	made.Upstream = o.upstream()
	if known, ok := sandbox.ReadJSON(o.DataDir); ok && len(known.People) > 0 {
		known.Upstream = o.upstream()
		return known, nil
	}
	if err := a.upstream.Check(ctx); err != nil {
		return made, fmt.Errorf("--upstream: %w", err)
	}
	there, err := sandbox.HasSample(ctx, a.upstream, a.cfg.FHIRBase())
	if err != nil || there {
		made.Resources = nil
		return made, err
	}
	adopted, err := sandbox.Adopt(ctx, a.upstream, a.cfg.FHIRBase(), time.Now())
	if errors.Is(err, sandbox.ErrNobody) {
		return a.fillUpstream(ctx, made)
	}
	adopted.Upstream = o.upstream()
	return adopted, err
}

// fillUpstream writes the sample people into an empty server, if it is on this machine:
// nobody else's is written to.
func (a *App) fillUpstream(ctx context.Context, made sandbox.Data) (sandbox.Data, error) {
	u, err := url.Parse(made.Upstream.URL)
	if err != nil || !loopbackHost(u.Hostname()) {
		return made, errors.New("--upstream: the server holds no patients, and a server on another machine is not written to; load some there")
	}
	if err := a.upstream.Fill(ctx, made.Resources); err != nil {
		return made, fmt.Errorf("--upstream: the server holds no patients: %w", err)
	}
	made.Resources = nil
	return made, nil
}
