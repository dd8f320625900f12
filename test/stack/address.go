package stack

import (
	"context"
	"fmt"
	"net"
)

// FreeAddress is a loopback address, as host:port, with a port that nobody uses at the moment.
func FreeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}
