package suite

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

var (
	errNoLogin  = errors.New("a usual request does not lead to a page")
	errByHand   = errors.New("a launch by hand does not show the redirects")
	errNoErrors = errors.New("the token endpoint has answered no request with an error")
)

// RFC 6749 §5.2: all errors of the token endpoint in this run. Order: last.
var answerChecks = []Check{
	{ID: "TOK-17", Level: SHALL, Section: "RFC 6749 §5.2",
		Expect: "every error of the token endpoint is JSON",
		run: ofErrors(func(a agent.Answer) Verdict {
			if a.MediaType() != "application/json" || a.Text("error") == "" {
				return fail("status %d, %s", a.Status, a.MediaType())
			}
			return pass("application/json")
		})},
	{ID: "HDR-01", Level: SHOULD, Section: "RFC 6749 §5.1",
		Expect: "no cache keeps one",
		run: ofErrors(func(a agent.Answer) Verdict {
			if !noStore(a.Header) {
				return fail("status %d, Cache-Control %q", a.Status, a.Header.Get("Cache-Control"))
			}
			return pass("no-store")
		})},
	{ID: "ERR-37", Level: SHALL, Section: "RFC 6749 §5.2",
		Expect: "none has the status 403",
		run: ofErrors(func(a agent.Answer) Verdict {
			if a.Status == http.StatusForbidden {
				return fail("%s", probe.Describe(a))
			}
			return pass("none")
		})},
	{ID: "ERR-38", Level: SHALL, Section: "RFC 6749 §5.2",
		Expect: "error_description has printable ASCII without quotes and backslashes",
		run: ofErrors(func(a agent.Answer) Verdict {
			text := a.Text("error_description")
			if strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }) {
				return fail("%q", text)
			}
			return pass("it has")
		})},
	{ID: "ERR-36", Level: SHOULD, Section: "RFC 6749 §5.2",
		Expect: "none is a failure of the server",
		run: ofErrors(func(a agent.Answer) Verdict {
			if a.Status >= http.StatusInternalServerError {
				return fail("%s", probe.Describe(a))
			}
			return pass("none")
		})},
}

// ofErrors judges every error answer; the first that does not pass decides.
func ofErrors(judge func(a agent.Answer) Verdict) check {
	return func(_ context.Context, p *probe.Probe) Verdict {
		var list []Verdict
		for _, a := range p.TokenAnswers {
			if a.Status >= http.StatusBadRequest {
				list = append(list, judge(a))
			}
		}
		if len(list) == 0 {
			return unknown(errNoErrors)
		}
		return all(list...)
	}
}
