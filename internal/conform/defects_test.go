package conform_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/conform/suite"
)

// everyRedirect are the rows of redirect URIs that are not registered.
const everyRedirect = "RU-01 RU-03 RU-04 RU-06 RU-07 RU-09 RU-10 RU-12 RU-13 RU-15 RU-16 RU-18 RU-19 RU-21 RU-22 RU-24 " +
	"RU-25 RU-27 RU-28 RU-30 RU-31 RU-33 RU-34 RU-36 RU-37 RU-39 RU-40 RU-42 RU-43 RU-45 RU-46 RU-48 " +
	"RU-49 RU-51 RU-52 RU-54 RU-55 RU-57 RU-58 RU-60 RU-61 RU-63 RU-64 RU-66 RU-67 RU-69 RU-70 RU-72 " +
	"RU-73 RU-76 RU-78 RU-79 RU-81 RU-82 RU-84 RU-85 RU-87 RU-88 RU-90 RU-91 RU-93 RU-94 RU-97"

// defects are the ways in which the broken server can be wrong, with exactly the
// checks that fail then. The lists of the lazy comparisons of redirect URIs are those
// of the attack catalogue, which were computed without this code.
var defects = map[string]string{
	"redirect-anything":         everyRedirect,
	"redirect-prefix":           "RU-01 RU-21 RU-28 RU-30 RU-31 RU-33 RU-48 RU-49 RU-51 RU-52 RU-54 RU-63 RU-64 RU-66 RU-73 RU-79",
	"redirect-host":             "RU-01 RU-15 RU-21 RU-25 RU-27 RU-28 RU-30 RU-31 RU-33 RU-34 RU-37 RU-40 RU-42 RU-43 RU-46 RU-48 RU-49 RU-51 RU-52 RU-54 RU-63 RU-66 RU-73 RU-78 RU-79 RU-82 RU-88 RU-94",
	"redirect-parts":            "RU-15 RU-37 RU-40 RU-42 RU-43 RU-46 RU-48 RU-49 RU-51 RU-54",
	"redirect-folded":           "RU-39 RU-40",
	"redirect-substring":        "RU-01 RU-04 RU-06 RU-09 RU-10 RU-15 RU-18 RU-19 RU-21 RU-22 RU-24 RU-25 RU-28 RU-30 RU-31 RU-33 RU-40 RU-48 RU-49 RU-51 RU-52 RU-54 RU-55 RU-57 RU-58 RU-63 RU-64 RU-66 RU-70 RU-72 RU-73 RU-79 RU-81 RU-82 RU-85 RU-87 RU-88 RU-94",
	"no-post":                   "AUTHZ-02",
	"any-method":                "AUTHZ-56",
	"redirect-last":             "AZ-03b",
	"redirect-optional":         "AUTHZ-11",
	"unregistered-500":          "AUTHZ-11 AZ-01 AZ-03 AZ-03b ERR-01 " + everyRedirect,
	"redirect-first":            "AZ-03",
	"unknown-client-redirected": "AZ-01",
	"no-client-redirected":      "ERR-01",
	"duplicates":                "AUTHZ-34",
	"unknown-refused":           "AUTHZ-33",
	"optional-refused":          "AUTHZ-44",
	"response-type-optional":    "ERR-05",
	"implicit":                  "AUTHZ-35",
	"id-token-response":         "AUTHZ-35b",
	"hybrid":                    "AUTHZ-35c",
	"request-uri":               "AZ-21",
	"any-launch":                "CTX-05",
	"any-aud":                   "AUTHZ-06",
	"pkce-optional":             "PKCE-01",
	"pkce-plain":                "PKCE-02",
	"pkce-methodless":           "PKCE-02b",
	"pkce-case":                 "AZ-11",
	"pkce-short":                "PKCE-03",
	"prompt-combined":           "AUTHZ-41",
	"grants-unknown-types":      "SCOPE-04",
	"grants-odd-letters":        "SCOPE-05",
	"grants-system":             "SCOPE-22",
	"v2-dropped":                "SCOPE-01",
	"hides-launch":              "SCOPE-39",
	"grants-more":               "SCOPE-43",
	"grants-user":               "SCOPE-43 TK-23",
	"prompt-login-ignored":      "AUTHZ-39",
	"max-age-ignored":           "AUTHZ-42b",
	"prompt-none-page":          "AUTHZ-40",
	"short-code":                "AUTHZ-22",
	"token-in-url":              "AUTHZ-21",
	"wrong-pkce-error":          "PKCE-01 PKCE-03",
	"error-without-state":       "AUTHZ-19",
	"state-lost":                "AUTHZ-17 AUTHZ-18",
	"state-mangled":             "AUTHZ-17",
	"no-iss":                    "AZ-39",
	"wrong-iss":                 "AZ-39",
	"referrer":                  "HDR-03",
	"redirect-307":              "AUTHZ-31",
	"cacheable-login":           "HDR-02",
	"framable":                  "HDR-04",
	"no-nosniff":                "HDR-06",
	"grant-types-missing":       "DISC-07",
	"grant-types-incomplete":    "DISC-07",
	"grant-types-implicit":      "DISC-08",
	"plain-advertised":          "DISC-10",
	"s256-unadvertised":         "DISC-10",
	"auth-methods-wrong":        "DISC-14",
	"scopes-missing":            "DISC-16",
	"introspection-missing":     "DISC-19",
	"revocation-missing":        "DISC-20",
	"token-response-type":       "DISC-22",
	"assertion-hmac":            "DISC-15",
	"assertion-unlisted":        "DISC-15",
	"endpoint-relative":         "DISC-04",
	"authorization-missing":     "DISC-05 DISC-30",
	"token-missing":             "DISC-06 DISC-30",
	"capabilities-empty":        "DISC-09 DISC-11",
	"capability-odd":            "DISC-25",
	"issuer-missing":            "DISC-11",
	"keys-missing":              "DISC-13",
	"contradiction":             "DISC-34",
	"host-header":               "DISC-37",
	"smart-missing":             "DISC-01 DISC-02 DISC-03",
	"smart-guarded":             "DISC-03",
	"smart-negotiates":          "DISC-02",
	"smart-uncached":            "DISC-39",
	"provider-missing":          "DISC-31",
	"provider-text":             "DISC-31",
	"subject-types-missing":     "DISC-32",
	"none-advertised":           "DISC-32b",
	"rs256-unadvertised":        "DISC-32",
	"issuer-slash":              "DISC-12 DISC-34",
	"request-unsaid":            "DISC-36",
	"logout-sessions-alone":     "LOGOUT-10",
	"sid-missing":               "LOGOUT-10",
	"form-post-redirected":      "AUTHZ-37",
	"metadata-missing":          "DISC-33",
	"private-key":               "OIDC-03",
	"key-without-n":             "OIDC-03",
	"duplicate-kid":             "JW-11",
	"keys-uncached":             "OIDC-05",
	"introspect-cacheable":      "INTRO-17",
	"introspect-get":            "INTRO-01",
	"introspect-anonymous":      "INTRO-02",
	"introspect-wrong-secret":   "INTRO-05",
	"introspect-without-token":  "INTRO-16",
	"introspect-stale":          "INTRO-19",
	"introspect-talks":          "INTRO-13b",
	"introspect-trusts":         "INTRO-13 INTRO-19",
	"introspect-inactive":       "INTRO-06",
	"introspect-nameless":       "INTRO-06",
	"introspect-scope":          "INTRO-07",
	"introspect-exp":            "INTRO-08",
	"introspect-context":        "INTRO-09",
	"introspect-sub":            "INTRO-10",
	"patient-reference":         "AT-12b CTX-15 REVOKE-05 RS-02 RSX-01 TOK-22",
	"sub-long":                  "OIDC-07",
	"sub-client":                "OIDC-08",
	"iss-wrong":                 "DISC-12",
	"revoke-anonymous":          "REVOKE-01",
	"revoke-without-token":      "REVOKE-07",
	"revoke-trusts-hint":        "REVOKE-06",
	"revoke-foreign":            "REVOKE-05",
	"revoke-access-ignored":     "INTRO-19 REVOKE-03",
	"revoke-refresh-ignored":    "REVOKE-02 REVOKE-02b REVOKE-06",
	"revoke-keeps-access":       "REVOKE-02b",
	"revoke-unknown":            "REVOKE-04",
	"userinfo-any-token":        "OIDC-19",
	"userinfo-no-post":          "OIDC-18b",
	"userinfo-without-openid":   "OIDC-19b",
	"userinfo-sub":              "OIDC-18 OIDC-18b",
	"userinfo-fhiruser":         "OIDC-21",
	"fhiruser-odd":              "OIDC-13 OIDC-15",
	"fhiruser-unreadable":       "OIDC-15",
	"no-auth-time":              "AUTHZ-42",
	"kid-unknown":               "OIDC-01 OIDC-02",
	"alg-none":                  "OIDC-01",
	"signature-wrong":           "OIDC-01",
	"iat-missing":               "OIDC-06 OIDC-09",
	"aud-wrong":                 "OIDC-06",
	"sub-changes":               "INTRO-10 OIDC-07b OIDC-18 OIDC-18b RT-13",
	"id-token-long":             "OIDC-09",
	"id-token-expired":          "OIDC-09",
	"azp-wrong":                 "OIDC-10",
	"at-hash-wrong":             "OIDC-11",
	"nonce-lost":                "AUTHZ-43",
	"fhiruser-missing":          "OIDC-12",
	"refresh-other-sub":         "RT-13",
	"assertion-refused":         "BS-02 BS-03 BS-05 BS-06 BS-07 CAUTH-12 CAUTH-12b SCOPE-23",
	"assertion-unsigned":        "CAUTH-14",
	"assertion-unverified":      "CAUTH-14b",
	"assertion-any-sub":         "CAUTH-16",
	"assertion-any-aud":         "CAUTH-17",
	"assertion-expired":         "CAUTH-18",
	"assertion-long":            "CAUTH-18b",
	"assertion-without-jti":     "CAUTH-20b",
	"assertion-replay":          "CAUTH-20",
	"token-in-query":            "RS-03",
	"bearer-case":               "RS-02",
	"spoiled-token":             "AT-05",
	"id-token-opens":            "AT-04",
	"refresh-opens":             "RT-30",
	"preflight-guarded":         "CORS-05",
	"metadata-guarded":          "DISC-28",
	"fhir-open":                 "RS-01 RS-03",
	"no-challenge":              "ERR-40",
	"challenge-without-error":   "ERR-42",
	"scopes-unchecked":          "ERR-43",
	"other-readable":            "RSP-05",
	"reads-another":             "RSX-01",
	"search-fails":              "RSP-03 RSX-02",
	"search-open":               "RSP-03",
	"search-no-bundle":          "RSP-03 RSX-02",
	"no-outcome":                "ERR-47",
	"oauth-uris-differ":         "DISC-30",
	"no-security-service":       "DISC-29",
	"no-statement":              "DISC-28",
	"cors-smart":                "CORS-01",
	"cors-metadata":             "CORS-01b",
	"cors-provider":             "CORS-02",
	"cors-keys":                 "CORS-02",
	"cors-token":                "CORS-03",
	"cors-fhir":                 "CORS-04 CORS-05",
	"cors-authorize":            "AUTHZ-32",
	"credentials-cors":          "CORS-09",
	"cors-headers":              "CORS-05",
	"cacheable-token":           "TOK-13",
	"token-text":                "TOK-08",
	"cacheable-errors":          "HDR-01",
	"no-basic-challenge":        "CAUTH-07",
	"basic-400":                 "CAUTH-07",
	"html-errors":               "TOK-17",
	"forbidden-errors":          "ERR-37",
	"server-errors":             "ERR-36 TOK-01b",
	"odd-descriptions":          "ERR-38",
	"token-get":                 "TOK-01",
	"token-query":               "TOK-02",
	"token-json":                "TOK-01b",
	"bad-escapes":               "TK-21",
	"token-duplicates":          "TOK-03",
	"password-grant":            "AUTHZ-36",
	"grant-type-error":          "ERR-26",
	"two-methods":               "CAUTH-06",
	"client-oracle":             "CAUTH-08",
	"client-id-ignored":         "TOK-06",
	"public-refused":            "CAUTH-01 RT-03 TOK-19",
	"secret-optional":           "CAUTH-02 REVOKE-01 RT-04",
	"refresh-without-secret":    "RT-04",
	"unknown-code-401":          "TOK-20",
	"token-fails":               "AUTHZ-01 CAUTH-01 CAUTH-12b",
	"replay":                    "AUTHZ-25 AUTHZ-25b PKCE-06 TK-01",
	"verifier-optional":         "PKCE-05b",
	"uri-optional":              "TK-06",
	"uri-unbound":               "TK-06 TOK-18",
	"code-survives":             "PKCE-06",
	"client-unbound":            "TOK-19",
	"exchange-widens":           "TK-23",
	"one-launch":                "INTRO-06 INTRO-07 INTRO-08 INTRO-09 INTRO-10 OIDC-15 OIDC-18 OIDC-18b OIDC-21 RS-02 RSP-03 RSP-05 RSX-01 RSX-02 TOK-22",
	"replay-keeps-access":       "AUTHZ-25",
	"replay-keeps-refresh":      "AUTHZ-25b",
	"verifier-unchecked":        "PKCE-05 PKCE-05c",
	"verifier-plain":            "PKCE-05c",
	"access-refreshes":          "TK-11",
	"refresh-unknown-401":       "RT-26",
	"refresh-unbound":           "RT-03",
	"reuse":                     "RT-22 RT-22b",
	"reuse-keeps-family":        "RT-22b",
	"refresh-refuses-scope":     "RT-06",
	"refresh-widens":            "RT-09",
	"refresh-loses-scope":       "RT-05",
	"refresh-unasked":           "TOK-14",
	"id-token-unasked":          "TOK-15",
	"no-refresh":                "RT-01",
	"no-rotation":               "RT-20",
	"odd-characters":            "AT-02",
	"no-patient":                "CTX-16 SCOPE-20",
	"token-type-missing":        "RT-11 TOK-09 TOK-10",
	"token-type-mac":            "TOK-10",
	"expires-text":              "TOK-11",
	"expires-long":              "TOK-12",
	"refresh-without-life":      "RT-11",
	"refresh-other-patient":     "RT-12",
	"bound-type":                "AT-12",
	"bound-refused":             "AT-12b",
	"proof-optional":            "ERR-35",
	"bound-as-bearer":           "AT-14",
	"proof-any-address":         "AT-13",
	"proof-any-method":          "AT-13b",
	"proof-any-token":           "AT-13c",
	"proof-old":                 "AT-13d",
	"proof-any-key":             "JW-16",
	"proof-again":               "JW-16b",
	"refresh-any-key":           "RT-17",
	"backend-scope-optional":    "BS-02",
	"backend-any-scope":         "SCOPE-23",
	"backend-no-life":           "BS-05 BS-06",
	"backend-other-scope":       "BS-03",
	"backend-long":              "BS-06",
	"backend-refresh":           "BS-07",
}

// Each defect is found by the checks that are about it, and by no other.
func TestEachDefectFailsItsChecks(t *testing.T) {
	for defect, expected := range defects {
		t.Run(defect, func(t *testing.T) {
			report := check(t, target(broken(t, defect)), everySuite...)
			if diff := cmp.Diff(strings.Fields(expected), ids(report, "fail")); diff != "" {
				t.Errorf("failed checks (-want +got):\n%s", diff)
			}
			if report.Passed() {
				t.Error("the run is a success")
			}
		})
	}
}

// A server without a defect fails nothing, and nothing is left unasked.
func TestTheRightServerIsConformant(t *testing.T) {
	report := check(t, target(broken(t, "")), everySuite...)
	for _, r := range report.Results {
		if r.Outcome != "pass" && r.ID != "TLS-01" {
			t.Error(r.Line())
		}
	}
	if !report.Conformant || !report.Passed() {
		t.Errorf("%s", report.Conclusion)
	}
}

// A check that no defect can fail proves nothing. TLS-01 has a test of its own.
func TestEachCheckCanFail(t *testing.T) {
	caught := strings.Fields(strings.Join(slices.Collect(maps.Values(defects)), " "))
	for _, c := range suite.Checks(everySuite...) {
		if !slices.Contains(caught, c.ID) && c.ID != "TLS-01" {
			t.Errorf("%s is failed by no defect", c.ID)
		}
	}
}

// The table knows every defect that the server has.
func TestEachDefectIsInTheTable(t *testing.T) {
	files, err := filepath.Glob("brokentest/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`(?:bad|set)\("([a-z0-9-]+)"|: "(cors-[a-z]+)"`)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(raw), -1) {
			name := m[1] + m[2]
			if _, known := defects[name]; !known && name != "a-name" && name != "throttles" { // doc.go explains with it
				t.Errorf("%s: %q is not in the table", file, name)
			}
		}
	}
}

// Ids are rows of the catalogues, each once.
func TestChecksAreWellFormed(t *testing.T) {
	row := regexp.MustCompile(`^[A-Z]+-\d\d[a-z]?$`)
	seen := map[string]bool{}
	for _, c := range suite.Checks(everySuite...) {
		if !row.MatchString(c.ID) || seen[c.ID] || c.Expect == "" || c.Section == "" || c.Level != suite.SHALL && c.Level != suite.SHOULD {
			t.Errorf("%+v", c)
		}
		seen[c.ID] = true
	}
}
