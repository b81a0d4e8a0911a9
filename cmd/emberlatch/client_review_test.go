package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	ticketOf = regexp.MustCompile(`name="ticket" value="([^"]+)"`)
	clientOf = regexp.MustCompile(`id="client-id">([^<]+)<`)
)

// registerOnPage registers an app on the page for developers; the client id is empty
// when the server did not let it.
func registerOnPage(t *testing.T, address, name string) (status int, id string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Timeout: 10 * time.Second, Jar: jar}
	read := func(resp *http.Response, err error) (int, string) {
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	status, body := read(browser.Get(address + "/developers/register"))
	ticket := ticketOf.FindStringSubmatch(body)
	if ticket == nil {
		return status, ""
	}
	status, body = read(browser.PostForm(address+"/developers/register", url.Values{
		"ticket": {ticket[1]}, "application_type": {"native"}, "token_endpoint_auth_method": {"none"}, "client_name": {name}, "emberlatch_maker": {"Sprout"},
		"contacts": {"dev@app.example.org"}, "redirect_uris": {"https://app.example.org/cb"}, "scope": {"openid", "patient/Patient.rs"},
	}))
	if found := clientOf.FindStringSubmatch(body); found != nil {
		id = found[1]
	}
	return status, id
}

// An operator works through the queue of a server that lets developers register apps.
//
// spec: REG-05, REG-06, REG-16
// attack: DC-01, DC-18
func TestTheQueueOfApps(t *testing.T) {
	closed, _ := serve(t, "")
	if status, _ := registerOnPage(t, closed, "A"); status != http.StatusNotFound {
		t.Errorf("off by default: %d", status)
	}
	address, config := serve(t, "registration: { self_service: reviewed, max_waiting: 2, business_days: { time_zone: UTC, holidays: [2026-12-25] } }\n")
	if out := ran(t, "client", "queue", "--config", config); out != "nothing waits\n" {
		t.Errorf("an empty queue: %s", out)
	}
	_, first := registerOnPage(t, address, "First App")
	_, second := registerOnPage(t, address, "Second App")
	if first == "" || second == "" {
		t.Fatal("not registered")
	}
	if status, id := registerOnPage(t, address, "Third App"); status != http.StatusServiceUnavailable || id != "" {
		t.Errorf("more than may wait: %d %s", status, id)
	}
	out := ran(t, "client", "queue", "--config", config)
	for _, want := range []string{first, second, "First App", "Sprout", "dev@app.example.org", "registered", "https://app.example.org/cb"} {
		if !strings.Contains(out, want) {
			t.Errorf("the queue does not say %q:\n%s", want, out)
		}
	}
	if out := ran(t, "client", "queue", "--overdue", "--json", "--config", config); strings.TrimSpace(out) != "[]" {
		t.Errorf("overdue at once: %s", out)
	}
	// What another server let lie for months is overdue here.
	old := file(t, "old.ndjson", `{"client_id":"forgotten","client_name":"Forgotten App","redirect_uris":["https://old.example.org/cb"],"emberlatch_self_registered":true,
		"emberlatch_registered_with":"form","emberlatch_review":{"registered_at":"2026-01-05T09:00:00Z"}}`)
	ran(t, "client", "import", old, "--config", config)
	code, out, _ := command(t, "client", "queue", "--overdue", "--config", config)
	if code != 1 || !strings.Contains(out, "2026-01-19 OVERDUE") || !strings.Contains(out, "forgotten") || strings.Contains(out, first) {
		t.Errorf("overdue: %d %s", code, out)
	}
	if lines := strings.Split(ran(t, "client", "queue", "--config", config), "\n"); !strings.Contains(lines[1], "forgotten") {
		t.Errorf("the one that is due first stands first: %q", lines)
	}
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"ask", first, "--question", "Who are you?"}, "waits for its developer; the clock runs on; due "},
		{[]string{"approve", first, "--verify-only"}, "is verified, and not enabled yet (made by Sprout, sends people to https://app.example.org/cb); due "},
		{[]string{"approve", first}, "may ask people, who read that it is checked"},
		{[]string{"decline", second, "--reason", "Nobody answers."}, "is declined"},
		{[]string{"suspend", first, "--reason", "Complaints."}, "is stopped everywhere"},
	} {
		if out := ran(t, append(append([]string{"client"}, step.args...), "--config", config)...); !strings.Contains(out, step.want) {
			t.Errorf("%v: %s", step.args, out)
		}
	}
	shown := ran(t, "client", "show", first, "--config", config)
	for _, want := range []string{"suspended", "developer asked", "developer verified", "enabled", "Complaints.", "Who are you?", "registered with", "form"} {
		if !strings.Contains(shown, want) {
			t.Errorf("show does not say %q:\n%s", want, shown)
		}
	}
	if out := ran(t, "client", "list", "--config", config); !strings.Contains(out, "declined") || !strings.Contains(out, "suspended") {
		t.Errorf("list: %s", out)
	}
	refuses(t, "has changed since you looked at it", "client", "approve", second, "--revision", "1", "--config", config)
	refuses(t, "the app is declined already", "client", "decline", second, "--reason", "x", "--config", config)
	refuses(t, "there is no client nobody", "client", "approve", "nobody", "--config", config)
	if status, id := registerOnPage(t, address, "Third App"); status != http.StatusOK || id == "" {
		t.Errorf("when there is room again: %d", status)
	}
	if code, _, errs := command(t, "client", "decline", first, "--config", config); code == 0 || !strings.Contains(errs, "--reason") {
		t.Errorf("declined without a reason: %d %s", code, errs)
	}
}
