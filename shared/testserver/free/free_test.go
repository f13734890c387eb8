package free

import (
	"net"
	"strconv"
	"testing"
)

// TestThePortIsNobodysByChance: it is none of those from which the system takes one for a
// connection, so a server gets it, also after it was stopped.
func TestThePortIsNobodysByChance(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		addr := Addr(t)
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(port)
		if end := ephemeral(); err != nil || seen[addr] || end >= lowest+tries && (n < lowest || n >= end) {
			t.Errorf("%s is given twice or may be taken: the system's ports begin at %d", addr, end)
		}
		seen[addr] = true
		for range 2 {
			l, err := net.Listen("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
		}
	}
}
