// Package free finds ports for the servers of tests.
package free

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	lowest = 10_000 // below are the ports of well-known services
	tries  = 1000
)

// Addr returns an address on 127.0.0.1 whose port is free. No system takes the port for a
// connection, nor for a listener that asks for any port (127.0.0.1:0). So no other program
// has it by the time that the test's server listens, nor while that server is stopped; nor
// does a client that tries to reach the stopped server get it as its own port.
func Addr(t testing.TB) string {
	t.Helper()
	addr, err := Find()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// Find is Addr for code without a test.
func Find() (string, error) {
	end := ephemeral()
	if end < lowest+tries { // this machine takes nearly all ports for connections
		return listen(0)
	}
	var err error
	for range tries {
		n := lowest + rand.IntN(end-lowest)
		if _, given := taken.LoadOrStore(n, true); given {
			continue
		}
		var addr string
		if addr, err = listen(n); err == nil {
			return addr, nil
		}
	}
	return "", fmt.Errorf("no port from %d to %d is free: %w", lowest, end-1, err)
}

// taken are the ports that this process has tried, so that no two of its servers get the
// same.
var taken sync.Map

// ephemeral returns the lowest of the ports that the system chooses by itself.
// https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html
func ephemeral() int {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 32768 // Linux's default; the lowest of macOS is 49152
	}
	low, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\t")
	n, err := strconv.Atoi(low)
	if err != nil {
		return 0
	}
	return n
}

// listen listens at a port for a moment and returns its address.
func listen(port int) (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
