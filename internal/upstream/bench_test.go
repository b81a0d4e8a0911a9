package upstream_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"
)

// canned is an upstream that answers at once with what it has ready: a read, and a
// page of fifty.
func canned(b *testing.B) string {
	b.Helper()
	one := func(n int) string {
		return fmt.Sprintf(`{"resourceType":"Observation","id":"a%d","meta":{"versionId":"1","lastUpdated":"2026-01-02T03:04:05Z"},"status":"final",`+
			`"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory","display":"Laboratory"}]}],`+
			`"code":{"coding":[{"system":"http://loinc.org","code":"718-7","display":"Hemoglobin [Mass/volume] in Blood"}],"text":"Hemoglobin"},`+
			`"subject":{"reference":"Patient/alice","display":"Alice Adams"},"encounter":{"reference":"Encounter/e1"},"effectiveDateTime":"2025-03-04T08:30:00Z",`+
			`"issued":"2025-03-04T09:30:00.000Z","performer":[{"reference":"Practitioner/p1"}],"valueQuantity":{"value":13.5,"unit":"g/dL","system":"http://unitsofmeasure.org","code":"g/dL"},`+
			`"referenceRange":[{"low":{"value":12.0,"unit":"g/dL"},"high":{"value":15.5,"unit":"g/dL"}}]}`, n)
	}
	var entries []string
	for i := range 50 {
		entries = append(entries, fmt.Sprintf(`{"fullUrl":"http://up/fhir/Observation/a%d","resource":%s,"search":{"mode":"match"}}`, i, one(i)))
	}
	page := `{"resourceType":"Bundle","type":"searchset","total":50,"link":[{"relation":"self","url":"http://up/fhir/Observation"}],"entry":[` + strings.Join(entries, ",") + `]}`
	read := one(1)
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/fhir+json")
		switch r.URL.Path {
		case "/fhir/metadata":
			_, _ = io.WriteString(w, capable())
		case "/fhir/Observation":
			_, _ = io.WriteString(w, page)
		default:
			_, _ = io.WriteString(w, read)
		}
	}))
	b.Cleanup(up.Close)
	return up.URL + "/fhir"
}

// BenchmarkGateway is a read and a page of fifty through the gateway, from the door on;
// BenchmarkReverseProxy is the same through net/http/httputil, which checks nothing.
func BenchmarkGateway(b *testing.B) {
	g := newGate(b, canned(b))
	benchmark(b, doorBefore(b, g))
}

func BenchmarkReverseProxy(b *testing.B) { benchmark(b, plainProxy(b, canned(b))) }

func plainProxy(b *testing.B, up string) http.Handler {
	b.Helper()
	target, err := url.Parse(up)
	if err != nil {
		b.Fatal(err)
	}
	target.Path = ""
	return &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
	}
}

func benchmark(b *testing.B, h http.Handler) {
	b.Helper()
	for name, path := range map[string]string{"read": "/Observation/a1", "search50": "/Observation?_count=50"} {
		b.Run(name, func(b *testing.B) {
			if got := get(h, "alice", path); got.Code != http.StatusOK || name == "search50" && strings.Count(got.Body.String(), `"fullUrl"`) != 50 {
				b.Fatalf("%d %s", got.Code, got.Body)
			}
			b.ReportAllocs()
			before := spent(b)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if got := get(h, "alice", path); got.Code != http.StatusOK {
						b.Error(got.Code)
						return
					}
				}
			})
			b.ReportMetric(float64((spent(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

// spent is the processor time of this process, which other work on the machine does not
// change: the upstream, the client and what stands between.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
