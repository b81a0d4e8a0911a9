package testenv_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

func apiPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The page for developers names every endpoint, capability, method, algorithm and
// plain scope that discovery does, and no capability or endpoint besides.
//
// spec: DOC-01, DOC-04, DOC-08
func TestThePageNamesWhatDiscoveryDoes(t *testing.T) {
	env, page := testenv.Start(t), apiPage(t)
	offered := map[string]bool{}
	for _, path := range []string{"/fhir/.well-known/smart-configuration", "/.well-known/openid-configuration"} {
		_, doc := document(t, env, path)
		for member, value := range doc {
			if strings.HasSuffix(member, "_endpoint") || member == "jwks_uri" {
				offered[member] = true
			}
			if !regexp.MustCompile(`^(capabilities|grant_types_supported|prompt_values_supported|code_challenge_methods_supported|.*auth_methods_supported|.*alg.*_values_supported)$`).MatchString(member) {
				continue
			}
			for _, v := range value.([]any) {
				offered[v.(string)] = true
			}
		}
		for _, s := range doc["scopes_supported"].([]any) {
			if text := s.(string); !strings.HasPrefix(text, "patient/") && !strings.HasPrefix(text, "user/") && !strings.HasPrefix(text, "system/") {
				offered[text] = true
			}
		}
	}
	if len(offered) < 40 {
		t.Fatalf("discovery names %d things", len(offered))
	}
	for name := range offered {
		if !regexp.MustCompile("`([a-z_]+=)?" + regexp.QuoteMeta(name) + "`").MatchString(page) {
			t.Errorf("the page says nothing of %s", name)
		}
	}
	named := regexp.MustCompile("`((?:[a-z_]+_endpoint|launch-[a-z]+|client-[a-z-]+|context-[a-z-]+|permission-[a-z0-9]+))`")
	for _, m := range named.FindAllStringSubmatch(page, -1) {
		if !offered[m[1]] {
			t.Errorf("the page names %s, which discovery does not", m[1])
		}
	}
}

// What the page says that is refused is refused so, and what it says that works does.
//
// spec: DOC-03
func TestThePageIsRightAboutAnswers(t *testing.T) {
	env := testenv.Start(t)
	_, a := env.Token("sandbox-confidential", "launch/patient patient/Patient.rs patient/Observation.rs", "maria", "")
	token := a.String("access_token")
	for _, row := range []struct {
		method, path, accept string
		status               int
		challenge            string
	}{
		{"GET", "Patient/maria", "", 200, ""},
		{"GET", "Patient/maria/_history/1", "", 200, ""},
		{"GET", "Patient/maria?_elements=name", "", 200, ""},
		{"GET", "Patient/maria/Observation?_count=1", "", 200, ""},
		{"GET", "Observation?_sort=-date,code,status,_id&_count=1&_total=accurate", "", 200, ""},
		{"GET", "Observation?_sort=-date,code,status,_id,_lastUpdated", "", 400, ""},
		{"GET", "Observation?_count=100000", "", 200, ""},
		{"GET", "Observation?_include=Observation:subject", "", 200, ""},
		{"GET", "Observation?code:missing=false&status:not=cancelled&subject:Patient=maria", "", 200, ""},
		{"GET", "Patient?name:exact=x&family:contains=y", "", 200, ""},
		{"GET", "Observation?subject:Patient.name=x", "", 200, ""},
		{"GET", "Patient?_has:Observation:subject:code=x", "", 200, ""},
		{"GET", "Observation?performer:Practitioner.name=x", "", 403, "insufficient_scope"},
		{"GET", "Observation?_list=x", "", 403, "insufficient_scope"},
		{"GET", "Observation?_count=1&_include=Observation:subject&_include:iterate=Patient:organization", "", 200, ""},
		{"GET", "Observation?_count=1&_include=*&_revinclude=Observation:*", "", 200, ""},
		{"GET", "Observation?_count=1&_revinclude=*", "", 400, ""},
		{"GET", "Observation?code:in=x", "", 400, ""},
		{"GET", "Observation?code:below=x", "", 400, ""},
		{"GET", "Observation?code-value-quantity=a$1", "", 200, ""},
		{"GET", "Observation?code-value-quantity=a", "", 400, ""},
		{"GET", "Observation?subject:identifier=x&_source:below=http://x/", "", 200, ""},
		{"GET", "Observation?no-such-parameter=x", "", 400, ""},
		{"GET", "Observation?access_token=x", "", 400, "invalid_request"},
		{"GET", "Patient/maria", "application/fhir+xml", 406, ""},
		{"GET", "Condition/x", "", 403, "insufficient_scope"},
		{"POST", "Observation", "", 403, "insufficient_scope"},
		{"GET", "Patient/maria/$everything?_type=Observation&_count=2&start=2020", "", 200, ""},
		{"GET", "Patient/james/$everything", "", 404, ""},
		{"GET", "Encounter/x/$everything", "", 403, ""},
		{"GET", "Group", "", 403, ""},
		{"GET", "Patient/james", "", 404, ""},
		{"GET", "Patient/nobody-at-all", "", 404, ""},
	} {
		req, err := http.NewRequest(row.method, env.FHIR+"/"+row.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		if row.accept != "" {
			req.Header.Set("Accept", row.accept)
		}
		got := env.Send(req)
		challenge := got.Header.Get("WWW-Authenticate")
		if got.Status != row.status || strings.Contains(challenge, "error=") != (row.challenge != "") || !strings.Contains(challenge, row.challenge) {
			t.Errorf("%s %s: %d, challenge %q, want %d %q", row.method, row.path, got.Status, challenge, row.status, row.challenge)
		}
	}
}

// The sections that app developers have to find are there, with what they decide.
//
// spec: DOC-02, DOC-03, DOC-11, RT-16, SCOPE-26, SCOPE-50
func TestThePageHasItsSections(t *testing.T) {
	page := strings.Join(strings.Fields(apiPage(t)), " ")
	for _, want := range []string{
		"**Native apps and pages in a browser get one by the same means as all others: authorization code with PKCE",
		"are served with `patient/` and with `user/` scopes alike", "**Patient.link.** A link opens nothing", "**Wildcards.** `*` may be asked for",
		"**Version 1 and version 2.**", "**403 or 404.**", "**Introspection** (RFC 7662). Who may ask:", "## Versions",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
