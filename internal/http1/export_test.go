package http1

import (
	"context"
	"net"
)

// ConnectBy makes connections otherwise than by TCP.
func (t *Transport) ConnectBy(connect func(ctx context.Context, network, address string) (net.Conn, error)) {
	t.connect = connect
}
