package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a running emberlatch.
type server struct {
	binary string
	where  []string // how commands find it
	cmd    *exec.Cmd
	base   string
	took   time.Duration
}

// sandbox starts `emberlatch dev` on SQLite.
func sandbox(binary, dir string) (*server, error) {
	s := &server{binary: binary, where: []string{"--data", dir}}
	return s, s.start("dev", "--listen", "127.0.0.1:0", "--data", dir, "--quiet")
}

// production starts `emberlatch serve` on a database, empty for its own SQLite, with more
// lines of configuration.
func production(binary, dir, url, more string) (*server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "emberlatch.yaml")
	if url == "" {
		url = "sqlite://" + filepath.Join(dir, "emberlatch.db")
	}
	text := fmt.Sprintf("public_url: http://%s\nlisten:\n  public: %s\nstore:\n  url: %q\n%s", address, address, url, more)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	s := &server{binary: binary, where: []string{"--config", config}}
	return s, s.start("serve", "--config", config)
}

func (s *server) start(args ...string) error {
	began := time.Now()
	var log bytes.Buffer
	s.cmd = exec.Command(s.binary, args...)
	s.cmd.Stderr = &log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = s.cmd.Wait()
		return fmt.Errorf("the server did not start: %s", log.String())
	}
	s.base, s.took = strings.TrimSpace(strings.TrimPrefix(line, "ready ")), time.Since(began).Round(time.Millisecond)
	return nil
}

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.cmd.Wait()
}

// processor is what the server has taken of processor time so far, in ticks of the
// kernel, of which a second has a hundred; 0 where that is not told.
func (s *server) processor() time.Duration {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(raw), ") ") // the name may hold spaces
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// memory is the resident memory of the server.
func (s *server) memory() string {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return "not known here"
	}
	for _, line := range strings.Split(string(raw), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return "not known here"
}

// command runs `emberlatch ARGS - --data …` with v as JSON on standard input and
// reads its answer into answer.
func (s *server) command(v, answer any, args ...string) error {
	input, err := json.Marshal(v)
	if err != nil {
		return err
	}
	cmd := exec.Command(s.binary, append(append(args, "-"), s.where...)...)
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("emberlatch %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(out, answer)
}

// load runs `emberlatch data load`.
func (s *server) load(path string) error {
	out, err := exec.Command(s.binary, append([]string{"data", "load", path}, s.where...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("emberlatch data load: %w: %s", err, out)
	}
	return nil
}
