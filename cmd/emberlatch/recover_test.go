package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// A recovery code is printed once, with the page and its end, in words or as JSON; for
// nobody, and for a time that makes no sense, there is none.
//
// spec: LOGIN-19
func TestMakingARecoveryCode(t *testing.T) {
	dir := t.TempDir()
	dev(t, dir)
	shown := ran(t, "user", "recover", "MARIA", "--data", dir)
	made := regexp.MustCompile(`^Recovery code for maria: (RC[A-Z2-7]{2}(?:-[A-Z2-7]{4}){6})\nPage:  (http://\S+/recover)\nGood:  once, until 20`).FindStringSubmatch(shown)
	if made == nil || !strings.Contains(shown, "go on, unless the person") {
		t.Fatalf("%q", shown)
	}
	var second struct {
		Code, Page, Username string
		DisconnectApps       bool
	}
	if err := json.Unmarshal([]byte(ran(t, "user", "recover", "maria", "--disconnect-apps", "--hours", "72", "--json", "--data", dir)), &second); err != nil {
		t.Fatal(err)
	}
	if second.Code == "" || second.Code == made[1] || second.Page != made[2] || !second.DisconnectApps || second.Username != "maria" {
		t.Errorf("%+v", second)
	}
	if shown := ran(t, "user", "recover", "chen", "--disconnect-apps", "--data", dir); !strings.Contains(shown, "all disconnected") {
		t.Errorf("%q", shown)
	}
	refuses(t, `the user "nobody-here": not found`, "user", "recover", "nobody-here", "--data", dir)
	refuses(t, "--hours", "user", "recover", "maria", "--hours", "0", "--data", dir)
	refuses(t, "1 to 336", "user", "recover", "maria", "--hours", "1000", "--data", dir)
}
