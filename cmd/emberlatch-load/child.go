package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// child is this program in another part, in a process of its own as the server is.
type child struct {
	cmd     *exec.Cmd
	address string // host and port
}

// parts are what this program can be instead of the load tool, by its first argument;
// the second one is the part's own.
var parts = map[string]func(argument string) (http.Handler, error){
	"bare-handler":    bareHandler,
	"canned-upstream": cannedUpstream,
	"plain-proxy":     plainProxy,
}

// play plays a part until it is killed; the address is all that it prints.
func play(part func(string) (http.Handler, error), argument string) error {
	h, err := part(argument)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: h}
	return s.Serve(l)
}

func startChild(part, argument string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, part, argument)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = cmd.Wait()
		return nil, fmt.Errorf("%s did not start: %w", part, err)
	}
	return &child{cmd, strings.TrimSpace(address)}, nil
}

func (c *child) stop() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}
