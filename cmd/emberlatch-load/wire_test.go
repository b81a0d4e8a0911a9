package main

import (
	"bufio"
	"strings"
	"testing"
)

func TestAnswersAreReadWhole(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want reply
		bad  bool
	}{
		"redirect":        {"HTTP/1.1 303 See Other\r\nLocation: https://a/b?code=c&iss=d\r\nContent-Length: 2\r\n\r\nokrest", reply{303, "https://a/b?code=c&iss=d", []byte("ok")}, false},
		"empty":           {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", reply{200, "", nil}, false},
		"without length":  {"HTTP/1.1 200 OK\r\n\r\nbody", reply{}, true},
		"cut off":         {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nbody", reply{}, true},
		"not HTTP":        {"hello\r\n\r\n", reply{}, true},
		"bad length":      {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", reply{}, true},
		"nothing at all":  {"", reply{}, true},
		"header cut off":  {"HTTP/1.1 200 OK\r\nContent-Le", reply{}, true},
		"no status given": {"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n", reply{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			c := &wire{r: bufio.NewReader(strings.NewReader(tc.text))}
			got, err := c.answer()
			if (err != nil) != tc.bad {
				t.Fatalf("error %v", err)
			}
			if !tc.bad && (got.status != tc.want.status || got.location != tc.want.location || string(got.body) != string(tc.want.body)) {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}
