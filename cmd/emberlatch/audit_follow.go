package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

type auditFollowCommand struct {
	where
	Place string        `help:"File that keeps the place; without one it begins with the first event." type:"path" required:""`
	Every time.Duration `help:"How often is asked when nothing more is there." default:"2s"`
	Once  bool          `help:"End when nothing more is there."`
}

// Run prints, and keeps the place of what was printed. Order: the place is kept after the
// output was taken, so that what breaks in between is printed again.
func (c *auditFollowCommand) Run(s *session) (err error) {
	r, err := c.connect(s.ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	place, err := readPlace(c.Place)
	if err != nil {
		return err
	}
	for {
		next, err := c.next(s, r, place)
		if err != nil {
			return err
		}
		if next != place {
			place = next
			continue
		}
		if c.Once {
			return nil
		}
		select {
		case <-s.ctx.Done():
			return nil
		case <-time.After(c.Every):
		}
	}
}

// next prints what lies behind a place.
func (c *auditFollowCommand) next(s *session, r *remote, behind string) (string, error) {
	resp, err := r.do(s.ctx, http.MethodGet, "/audit/follow?"+url.Values{"behind": {behind}}.Encode(), nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", refusalOf(body)
	}
	if _, err := s.stdout.Write(body); err != nil {
		return "", err
	}
	place := resp.Header.Get("Emberlatch-Place")
	if place == behind {
		return place, nil
	}
	return place, keepPlace(c.Place, place)
}

func readPlace(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "0", nil
	}
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(raw))
	if n, err := strconv.ParseInt(text, 10, 64); err != nil || n < 0 {
		return "", fmt.Errorf("%s holds no place", path)
	}
	return text, nil
}

// keepPlace replaces the file as a whole.
func keepPlace(path, place string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".place-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(place + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

type auditPruneCommand struct {
	where
	Before string `help:"Events before this time are removed." placeholder:"TIME" required:""`
}

// Run prunes, and says how much.
func (c *auditPruneCommand) Run(s *session) error {
	answer, err := c.ask(s, http.MethodPost, "/audit/prune?"+url.Values{"before": {c.Before}}.Encode(), nil, nil)
	if err != nil {
		return err
	}
	return printJSON(s, answer)
}
