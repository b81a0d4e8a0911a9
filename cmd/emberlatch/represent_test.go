package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An operator says for whom an account stands, as what and until when; for a child that
// is until it comes of age, and never longer.
//
// spec: LOGIN-20
func TestRepresent(t *testing.T) {
	dir := t.TempDir()
	dev(t, dir)
	until := func(out, patient string) string {
		t.Helper()
		for _, v := range decoded(t, out)["represents"].([]any) {
			switch v := v.(type) {
			case string:
				if v == patient {
					return ""
				}
			case map[string]any:
				if v["patient"] == patient {
					text, _ := v["until"].(string)
					return text
				}
			}
		}
		t.Fatalf("%s is not among them: %s", patient, out)
		return ""
	}
	say := func(more ...string) []string { return append([]string{"user", "represent", "--data", dir}, more...) }

	end := until(ran(t, say("maria", "Patient/leo", "--relationship", "child")...), "Patient/leo")
	of, err := time.Parse(time.RFC3339, end)
	if err != nil || !of.After(time.Now()) || of.After(time.Now().AddDate(18, 0, 0)) {
		t.Errorf("a child until %q", end)
	}
	if got := until(ran(t, say("maria", "Patient/leo", "--relationship", "child", "--until", of.AddDate(0, 0, -1).Format(time.DateOnly))...), "Patient/leo"); got != of.AddDate(0, 0, -1).Format(time.RFC3339) {
		t.Errorf("an earlier end: %q", got)
	}
	if got := until(ran(t, say("maria", "Patient/tom")...), "Patient/tom"); got != "" {
		t.Errorf("no end was said: %q", got)
	}
	if got := until(ran(t, say("maria", "Patient/later", "--relationship", "child", "--until", "2090-01-01", "--record-later")...), "Patient/later"); got != "2090-01-01T00:00:00Z" {
		t.Errorf("nobody knows the birth date: %q", got)
	}
	for _, row := range []struct {
		want string
		args []string
	}{
		{"comes of age on " + of.Format(time.DateOnly), []string{"maria", "Patient/leo", "--relationship", "child", "--until", of.AddDate(0, 0, 1).Format(time.DateOnly)}},
		{"which is over", []string{"maria", "Patient/tom", "--relationship", "guardian", "--until", "2020-01-01"}},
		{"which is over", []string{"maria", "Patient/tom", "--relationship", "child"}},
		{"neither a day", []string{"maria", "Patient/tom", "--until", "soon"}},
		{`"boss" is none of child, parent`, []string{"maria", "Patient/tom", "--relationship", "boss"}},
		{"not Patient/<id>", []string{"maria", "Practitioner/chen"}},
		{"there is no Patient/nobody-here", []string{"maria", "Patient/nobody-here"}},
		{"birth date of Patient/later2 is not known", []string{"maria", "Patient/later2", "--relationship", "child", "--record-later"}},
		{"a practitioner stands for nobody", []string{"chen", "Patient/leo"}},
		{"not found", []string{"nobody-here", "Patient/leo"}},
		{"--end takes neither", []string{"maria", "Patient/leo", "--end", "--until", "2030-01-01"}},
		{`"maria" does not stand for Patient/james`, []string{"maria", "Patient/james", "--end"}},
	} {
		refuses(t, row.want, say(row.args...)...)
	}
	if out := ran(t, say("maria", "Patient/leo", "--end")...); strings.Contains(out, "Patient/leo") || !strings.Contains(out, "Patient/tom") {
		t.Errorf("ended: %s", out)
	}

	file := filepath.Join(t.TempDir(), "user.json")
	for text, want := range map[string]string{
		`["Patient/leo"]`: "", `[{"patient":"Patient/leo","relationship":"guardian","until":"2090-01-01"}]`: "2090-01-01T00:00:00Z",
		`[{"patient":"Patient/leo","relationship":"child"}]`: end,
	} {
		name := "stands" + string(rune('a'+len(text)%26))
		if err := os.WriteFile(file, []byte(`{"username":"`+name+`","password":"a quiet room","role":"representative","represents":`+text+`}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := until(ran(t, "user", "add", file, "--data", dir), "Patient/leo"); got != want {
			t.Errorf("%s: until %q, want %q", text, got, want)
		}
	}
	if err := os.WriteFile(file, []byte(`{"username":"typo","password":"a quiet room","role":"representative","represents":[{"patient":"Patient/leo","til":"2090"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	refuses(t, "til", "user", "add", file, "--data", dir)
}
