package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// fed runs a command with something on its standard input.
func fed(t *testing.T, input string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(input), &out, &errs)
	return code, out.String(), errs.String()
}

// A password is read from standard input, or made and shown once; a weak one, none, and
// one for nobody are refused.
//
// spec: LOGIN-12
func TestSettingAPassword(t *testing.T) {
	dir := t.TempDir()
	dev(t, dir)
	made := regexp.MustCompile(`"password": "([a-z2-7]{4}(-[a-z2-7]{4}){5})"`)
	first := made.FindStringSubmatch(ran(t, "user", "set-password", "maria", "--data", dir))
	second := made.FindStringSubmatch(ran(t, "user", "set-password", "MARIA", "--data", dir))
	if first == nil || second == nil || first[1] == second[1] {
		t.Errorf("made %v and %v", first, second)
	}
	for _, input := range []string{"a quiet evening walk\n", "a quiet evening walk\r\n", "a quiet evening walk"} {
		if code, out, errs := fed(t, input, "user", "set-password", "maria", "--stdin", "--data", dir); code != 0 || strings.Contains(out+errs, "quiet") || !strings.Contains(out, `"username": "maria"`) {
			t.Errorf("%q: %d %s %s", input, code, out, errs)
		}
	}
	for input, want := range map[string]string{
		"": "one line", "\n": "one line", "two\nlines": "one line", strings.Repeat("x", 5000): "one line", "short": "at least 8", "password123": "many people",
	} {
		if code, out, errs := fed(t, input, "user", "set-password", "maria", "--stdin", "--data", dir); code != 1 || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%.20q: %d %s %s", input, code, out, errs)
		}
	}
	refuses(t, `the user "nobody-here": not found`, "user", "set-password", "nobody-here", "--data", dir)
	ran(t, "user", "disable", "james", "--data", dir)
	refuses(t, "is disabled", "user", "set-password", "james", "--data", dir)
}
