package egress

import (
	"context"
	"net"
)

// NewPlaces makes connections in places, for tests.
func NewPlaces(dial func(ctx context.Context, network, address string) (net.Conn, error)) func(ctx context.Context, network, address string) (net.Conn, error) {
	return newPlaces(dial).connect
}
