package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// wire is one connection of a caller that spends as little of the shared cores as it
// can: net/http's client costs as much as half of what is measured beside a ceiling
// that has no client in it. Where the ceiling has one, both use net/http's.
type wire struct {
	conn net.Conn
	r    *bufio.Reader
	out  bytes.Buffer
}

func (w *world) dial() (*wire, error) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.base, "http://"))
	if err != nil {
		return nil, err
	}
	return &wire{conn: conn, r: bufio.NewReader(conn)}, nil
}

// hangUp closes all connections.
func hangUp(wires []*wire) {
	for _, c := range wires {
		if c != nil {
			_ = c.conn.Close()
		}
	}
}

// reply is what a flow needs of an answer.
type reply struct {
	status   int
	location string
	body     []byte
}

// call sends one request and reads its whole answer, which must carry its length.
func (c *wire) call(request ...string) (reply, error) {
	c.out.Reset()
	for _, part := range request {
		c.out.WriteString(part)
	}
	if err := c.conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return reply{}, err
	}
	if _, err := c.conn.Write(c.out.Bytes()); err != nil {
		return reply{}, err
	}
	return c.answer()
}

func (c *wire) answer() (reply, error) {
	line, err := c.line()
	if err != nil || len(line) < len("HTTP/1.1 200") {
		return reply{}, errors.Join(err, errors.New("no status line"))
	}
	a, length := reply{}, -1
	if a.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return reply{}, err
	}
	for {
		if line, err = c.line(); err != nil {
			return reply{}, err
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch string(name) {
		case "Location":
			a.location = string(value)
		case "Content-Length":
			length, err = strconv.Atoi(string(value))
		}
		if err != nil {
			return reply{}, err
		}
	}
	if length < 0 {
		return reply{}, errors.New("an answer without its length")
	}
	a.body = make([]byte, length)
	_, err = io.ReadFull(c.r, a.body)
	return a, err
}

func (c *wire) line() ([]byte, error) {
	line, err := c.r.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}
