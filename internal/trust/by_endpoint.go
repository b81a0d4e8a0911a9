package trust

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"time"

	"github.com/emberlatch/emberlatch/internal/egress"
	"github.com/emberlatch/emberlatch/internal/oauth"
)

const (
	// maxQuestions is how many questions one server is asked at once, and turn how long
	// others wait for one of them to end.
	maxQuestions = 16
	turn         = time.Second
	// maxAnswer bounds an answer, in bytes.
	maxAnswer = 64 << 10
	// quietFor is how long a server that did not answer at all is left alone.
	quietFor = 2 * time.Second
)

var errShape = errors.New("the answer is not JSON of RFC 7662, each member once, with the media type application/json")

// byEndpoint asks the server about a token (RFC 7662 §2). What is no answer of
// introspection says nothing, so nobody can say.
func (l *List) byEndpoint(ctx context.Context, s *source, text string) (Answer, error) {
	c, err := l.asked(ctx, s, text)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if !c.Active {
		return Answer{}, nil
	}
	if c.Issuer == "" { // RFC 7662 §2.2: optional, and it is this server that says it
		c.Issuer = s.Name
	}
	return s.judge(c, l.deps.Now())
}

// asked sends the question, at most so many at once.
func (l *List) asked(ctx context.Context, s *source, text string) (said, error) {
	wait := time.NewTimer(turn)
	defer wait.Stop()
	select {
	case s.places <- struct{}{}:
	case <-wait.C:
		return said{}, errors.New("too many questions to it are under way")
	case <-ctx.Done():
		return said{}, ctx.Err()
	}
	defer func() { <-s.places }()
	if s.isQuiet(l.deps.Now()) {
		return said{}, errors.New("it has just failed to answer")
	}
	got, err := l.deps.Client.Ask(ctx, s.Endpoint, egress.Form{
		Values: url.Values{"token": {text}, "token_type_hint": {"access_token"}}, User: s.ClientID, Secret: s.ClientSecret,
	}, maxAnswer)
	if err != nil {
		// Order: only silence keeps others waiting, so only silence counts; a text that
		// makes the server answer with an error stops nobody else's question, and neither
		// does a caller who goes away.
		if !errors.Is(err, egress.ErrAnswer) && !errors.Is(ctx.Err(), context.Canceled) {
			s.keepQuiet(l.deps.Now())
		}
		return said{}, err
	}
	return readAnswer(got.Header.Get("Content-Type"), got.Body)
}

func readAnswer(contentType string, body []byte) (said, error) {
	var c said
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "application/json" || oauth.ReadJSON(body, &c) != nil {
		return said{}, errShape
	}
	return c, nil
}

func (s *source) isQuiet(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Before(s.quiet)
}

func (s *source) keepQuiet(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quiet = now.Add(quietFor)
}
