package testenv_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// explanation asks as an operator why a request comes out as it does.
func explanation(t *testing.T, env *testenv.Env, token, method, path string) (a testenv.Answer, status int, steps string) {
	t.Helper()
	in, err := json.Marshal(map[string]string{"token": token, "method": method, "path": path})
	if err != nil {
		t.Fatal(err)
	}
	a = env.Admin(http.MethodPost, "/explain", string(in))
	var x struct {
		Status int
		Steps  []struct {
			Step   string
			OK     bool
			Reason string
		}
	}
	if err := json.Unmarshal([]byte(a.Raw), &x); err != nil {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	for _, s := range x.Steps {
		steps += map[bool]string{true: " +", false: " -"}[s.OK] + s.Step + ":" + s.Reason
	}
	return a, x.Status, strings.TrimSpace(steps)
}

// An operator is told from the token to the row why a request comes out as it does;
// the caller is told the same of a hidden record and of none.
func TestRequestsAreExplainedToOperators(t *testing.T) {
	env := testenv.Start(t)
	_, a := env.Token("sandbox-native", "launch/patient openid fhirUser patient/Patient.rs patient/Observation.s", "maria", "")
	token := a.String("access_token")
	const in = "+token:token.accepted +request:request.understood "
	for _, row := range []struct {
		method, path string
		status       int
		steps        string
	}{
		{"GET", "Patient/maria", 200, in + "+scope:scope.patient +row:row.in-view"},
		{"GET", env.FHIR + "/Patient/maria", 200, in + "+scope:scope.patient +row:row.in-view"},
		{"GET", "/Patient/maria/_history/1", 200, in + "+scope:scope.patient +row:row.in-view"},
		{"GET", "Patient/maria/_history/99", 404, in + "+scope:scope.patient -row:row.missing"},
		{"GET", "Patient/james", 404, in + "+scope:scope.patient -row:row.of-others"},
		{"GET", "Patient/nobody", 404, in + "+scope:scope.patient -row:row.missing"},
		{"GET", "Observation?code=1234-5", 200, in + "+scope:scope.patient +row:rows.in-view"},
		{"GET", "Observation/x", 403, in + "-scope:scope.missing"},
		{"GET", "Group/x", 403, in + "-scope:type.closed"},
		{"GET", "Patient/maria/$everything", 200, in + "+scope:scope.patient +row:row.in-view"},
		{"GET", "Patient/james/$everything", 404, in + "+scope:scope.patient -row:row.of-others"},
		{"GET", "Patient/maria/$summary", 403, in + "-scope:interaction.not-offered"},
		{"GET", "Patient/maria/_history", 200, in + "+scope:scope.patient +row:versions.in-view"},
		{"GET", "Patient/james/_history", 404, in + "+scope:scope.patient -row:row.of-others"},
		{"GET", "Patient/nobody/_history", 404, in + "+scope:scope.patient -row:row.missing"},
		{"GET", "Observation/_history", 200, in + "+scope:scope.patient +row:versions.in-view"},
		{"GET", "Nonsense/1", 404, "+token:token.accepted -request:request.unknown"},
		{"TRACE", "Patient/maria", 405, "+token:token.accepted -request:request.unknown"},
	} {
		a, status, steps := explanation(t, env, token, row.method, row.path)
		if a.Status != http.StatusOK || status != row.status || steps != row.steps {
			t.Errorf("%s %s: %s\n%s", row.method, row.path, steps, a.Raw)
		}
		if strings.Contains(a.Raw, "Okafor") || strings.Contains(a.Raw, "Lopez") || strings.Contains(a.Raw, token) || strings.Contains(a.Raw, "1234-5") {
			t.Errorf("%s %s: content in %s", row.method, row.path, a.Raw)
		}
		if !strings.HasPrefix(row.path, "http") && row.method == http.MethodGet {
			if got := env.Get(token, strings.TrimPrefix(row.path, "/")); got.Status != row.status {
				t.Errorf("%s: explained as %d, answered %d", row.path, row.status, got.Status)
			}
		}
	}
	hidden, missing := env.Get(token, "Patient/james"), env.Get(token, "Patient/nobody")
	if hidden.Raw != missing.Raw || hidden.Header.Get("Emberlatch-Reason") != missing.Header.Get("Emberlatch-Reason") {
		t.Errorf("the caller is told %s of a hidden record, %s of a missing one", hidden.Raw, missing.Raw)
	}
	if _, _, steps := explanation(t, env, "made-up", "GET", "Patient/maria"); steps != "-token:token.invalid" {
		t.Error(steps)
	}
	if a := env.Admin(http.MethodPost, "/explain", `{"method":"GET","path":"Patient/maria"}`); a.Status != http.StatusBadRequest {
		t.Errorf("no token: %d %s", a.Status, a.Raw)
	}
}

// What came of a write is explained as far as the row goes, and is what its caller is told.
func TestWritesAreExplainedToOperators(t *testing.T) {
	env := testenv.Start(t)
	_, a := env.Token("sandbox-native", "launch/patient patient/Observation.cruds patient/Condition.rs", "maria", "")
	reader := a.String("access_token")
	_, a = env.Token("sandbox-native", "launch/patient patient/Observation.rs patient/Observation.u?category=vital-signs", "maria", "")
	narrow := a.String("access_token")
	_, a = env.Token("sandbox-native", "launch/patient patient/Observation.ud", "maria", "")
	blind := a.String("access_token")
	mine := "Observation/" + sees(t, env, reader, "Observation?category=laboratory&_count=1")[0]
	_, a = env.Token("sandbox-native", "launch/patient patient/Observation.rs", "james", "")
	theirs := "Observation/" + sees(t, env, a.String("access_token"), "Observation?category=laboratory&_count=1")[0]
	const in = "+token:token.accepted +request:request.understood "
	for _, row := range []struct {
		token, method, path string
		status              int
		steps               string
	}{
		{reader, "POST", "Observation", 200, in + "+scope:scope.patient +row:row.none +content:content.not-replayed"},
		{reader, "PUT", mine, 200, in + "+scope:scope.patient +row:row.in-view +content:content.not-replayed"},
		{reader, "PUT", theirs, 404, in + "+scope:scope.patient -row:row.of-others"},
		{reader, "PUT", "Observation/nobody", 404, in + "+scope:scope.patient -row:row.missing"},
		{reader, "PUT", "Observation?identifier=x", 200, in + "+scope:scope.patient +row:rows.in-view +content:content.not-replayed"},
		{reader, "DELETE", mine, 200, in + "+scope:scope.patient +row:row.in-view"},
		{reader, "PUT", "Condition/x", 403, in + "-scope:scope.missing"},
		{narrow, "PUT", mine, 403, in + "+scope:scope.patient -row:row.only-read"},
		{narrow, "PUT", theirs, 404, in + "+scope:scope.patient -row:row.of-others"},
		{blind, "PUT", mine, 200, in + "+scope:scope.patient +row:row.in-view +content:content.not-replayed"},
		{blind, "PATCH", mine, 403, in + "+scope:scope.patient -row:row.not-read"},
	} {
		if a, status, steps := explanation(t, env, row.token, row.method, row.path); status != row.status || steps != row.steps {
			t.Errorf("%s %s: %s\n%s", row.method, row.path, steps, a.Raw)
		}
	}
}

// A sandbox names the reason of each decision in a header.
func TestASandboxNamesReasons(t *testing.T) {
	env := testenv.Start(t)
	_, a := env.Token("sandbox-native", "launch/patient patient/Patient.rs", "maria", "")
	for path, want := range map[string]string{"Patient/maria": "scope.patient", "Patient/james": "scope.patient", "Observation": "scope.missing", "Group/x": "type.closed", "Nonsense/1": ""} {
		if got := env.Get(a.String("access_token"), path).Header.Get("Emberlatch-Reason"); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
