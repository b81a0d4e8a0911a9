package dpop

import (
	"testing"

	"pgregory.net/rapid"
)

// spec: AT-13
func TestPlaces(t *testing.T) {
	const same = "https://ehr.example.org/fhir/Patient/a"
	for text, want := range map[string]string{
		same: same, same + "?_id=1": same, same + "#x": same, "HTTPS://EHR.Example.ORG/fhir/Patient/a": same, "https://ehr.example.org:443/fhir/Patient/a": same,
		"https://ehr.example.org:/fhir/Patient/a": same, "https://ehr.example.org/fhir/%50atient/%61": same,
		"https://ehr.example.org": "https://ehr.example.org/", "https://ehr.example.org/": "https://ehr.example.org/", "https://ehr.example.org?x": "https://ehr.example.org/",
		"http://localhost:8765/token": "http://localhost:8765/token", "http://localhost:80/token": "http://localhost/token", "http://localhost:443/t": "http://localhost:443/t",
		"https://h/a%2fb": "https://h/a%2Fb", "https://h/a%2Fb": "https://h/a%2Fb", "https://h/a/b": "https://h/a/b", "https://h/Patient": "https://h/Patient", "https://h/patient": "https://h/patient",
		"https://h/a/../b": "https://h/a/../b", "https://h/a/": "https://h/a/", "https://[::1]:443/": "https://[::1]/",
		"": "", "/token": "", "//h/token": "", "token": "", "urn:x:y": "", "mailto:a@b": "", "ftp://h/x": "", "https://user@h/": "", "https://": "", "https://h/%zz": "", "https:h/x": "", "javascript:x": "",
	} {
		got, ok := place(text)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v, want %q", text, got, ok, want)
		}
	}
}

// Normalising twice changes nothing, and no two paths that a router tells apart
// become one.
func TestPlacesAreStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.StringMatching(`(/[a-zA-Z0-9._~%!$&'()*+,;=:@-]{0,6}){0,4}`).Draw(t, "path")
		once, ok := place("https://h.example" + path)
		if !ok {
			return
		}
		if again, _ := place(once); again != once {
			t.Fatalf("%q, then %q", once, again)
		}
	})
}
