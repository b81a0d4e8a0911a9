package upstream_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkBeside asks over loopback HTTP, in front of one upstream: the gateway,
// net/http/httputil, and nginx where it is there. What is told of half of the load is
// how long answers take then (p50-µs, p99-µs), from the moment that they were due.
func BenchmarkBeside(b *testing.B) {
	before := debug.SetGCPercent(1000) // a heap that is collected as rarely as the server's
	b.Cleanup(func() { debug.SetGCPercent(before) })
	up := canned(b)
	gateway := httptest.NewServer(doorBefore(b, newGate(b, up)))
	b.Cleanup(gateway.Close)
	proxy := httptest.NewServer(plainProxy(b, up))
	b.Cleanup(proxy.Close)
	servers := []struct{ name, base string }{{"gateway", gateway.URL + "/fhir"}, {"httputil", proxy.URL + "/fhir"}}
	if base := nginx(b, up); base != "" {
		servers = append(servers, struct{ name, base string }{"nginx", base + "/fhir"})
	}
	for _, what := range []struct{ name, path string }{{"read", "/Observation/a1"}, {"search50", "/Observation?_count=50"}} {
		for _, s := range servers {
			b.Run(what.name+"/"+s.name, func(b *testing.B) { beside(b, s.base+what.path) })
		}
	}
}

func beside(b *testing.B, url string) {
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	b.Cleanup(c.CloseIdleConnections)
	ask(b, c, url)
	b.SetParallelism(4)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			ask(b, c, url)
		}
	})
	b.StopTimer()
	took := b.Elapsed()
	b.ReportMetric(float64(b.N)/took.Seconds(), "req/s")
	if took > time.Second/2 { // the last round
		late := paced(b, c, url, 2*took/time.Duration(b.N))
		b.ReportMetric(float64(late[len(late)/2].Microseconds()), "p50-µs")
		b.ReportMetric(float64(late[len(late)*99/100].Microseconds()), "p99-µs")
	}
}

// ask asks once, and reads the whole answer.
func ask(b *testing.B, c *http.Client, url string) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		b.Error(err)
		return
	}
	r.Header.Set("Authorization", "Bearer alice")
	resp, err := c.Do(r)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	if err != nil && !b.Failed() || err == nil && resp.StatusCode != http.StatusOK {
		b.Error(err)
	}
}

// paced asks once in each interval for a second, whether or not the last answer is
// there, with 64 askers; it gives how long each took, sorted.
func paced(b *testing.B, c *http.Client, url string, interval time.Duration) []time.Duration {
	var lock sync.Mutex
	var all []time.Duration
	var asking sync.WaitGroup
	askers := make(chan struct{}, 64)
	for due, end := time.Now(), time.Now().Add(time.Second); due.Before(end); due = due.Add(interval) {
		time.Sleep(time.Until(due))
		askers <- struct{}{}
		asking.Go(func() {
			ask(b, c, url)
			<-askers
			lock.Lock()
			defer lock.Unlock()
			all = append(all, time.Since(due))
		})
	}
	asking.Wait()
	slices.Sort(all)
	return all
}

// nginx starts one in front of the upstream and gives its address; empty: there is none.
func nginx(b *testing.B, up string) string {
	program, err := exec.LookPath("nginx")
	if err != nil {
		return ""
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	place := l.Addr().String()
	_ = l.Close()
	dir := b.TempDir()
	host := strings.TrimSuffix(strings.TrimPrefix(up, "http://"), "/fhir")
	config := fmt.Sprintf(`daemon off; pid %[1]s/pid; error_log %[1]s/log; worker_processes auto; events {}
http { access_log off; client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
keepalive_requests 1000000; upstream up { server %[2]s; keepalive 64; keepalive_requests 1000000; }
server { listen %[3]s; location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffers 16 16k; } } }`, dir, host, place)
	file := filepath.Join(dir, "conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	run := exec.Command(program, "-p", dir, "-c", file)
	if err := run.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = run.Process.Signal(os.Interrupt)
		_ = run.Wait()
	})
	for range 100 {
		if c, err := net.Dial("tcp", place); err == nil {
			_ = c.Close()
			return "http://" + place
		}
		time.Sleep(20 * time.Millisecond)
	}
	b.Log("nginx did not start")
	return ""
}
