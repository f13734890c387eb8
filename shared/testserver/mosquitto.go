package testserver

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/hearth-home/hearth/shared/testserver/free"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// OwnMosquitto returns a broker of this test only; it ends with the test. It queues
// messages for clients that are not connected, and saves them to a file every autosave
// seconds, or only when it stops if autosave is 0. lines are added to its
// configuration.
func OwnMosquitto(t testing.TB, autosave int, lines ...string) *Server {
	t.Helper()
	path := tool.Needed(t, "apt-get install mosquitto", "mosquitto", "/usr/sbin/mosquitto")
	s, err := startMosquitto(path, autosave, lines)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Kill() })
	return s
}

func startMosquitto(path string, autosave int, lines []string) (*Server, error) {
	dir, err := folder()
	if err != nil {
		return nil, err
	}
	addr, err := free.Find()
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	conf := fmt.Sprintf(`listener %s %s
allow_anonymous true
user root
persistence true
persistence_location %s/
autosave_interval %d
max_queued_messages 1000000
max_queued_bytes 0
max_inflight_messages 20000
queue_qos0_messages true
sys_interval 1
set_tcp_nodelay true
`, port, host, dir, autosave)
	for _, l := range lines {
		conf += l + "\n"
	}
	file := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return nil, err
	}
	s := &Server{Addr: addr, Dir: dir, path: path, args: []string{"-c", file}, quit: syscall.SIGTERM, orphaned: syscall.SIGKILL,
		ready: func(ctx context.Context) error { return listens(ctx, addr) }}
	return s, s.Start()
}
