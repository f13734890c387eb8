package chaos

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store/sqlite"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/free"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// box runs `make up` on one machine: the compiled program, with its embedded broker
// and SQLite, and without simulated sensors.
type box struct {
	program testserver.Program
	up      *testserver.Server
	broker  string
	state   string // folder
	trace   string // strace's output, one line for each sync; "": syncs are not counted
}

// newBox returns a box whose database holds this many readings. It is not started yet.
func newBox(t *testing.T, stored int) *box {
	t.Helper()
	dir := t.TempDir()
	b := &box{broker: free.Addr(t), state: filepath.Join(dir, "state")}
	if stored > 0 {
		b.fill(t, stored)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(dir, "root") // without anyone's .env and hearth.yml
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"stack.yml", "stack.extra.yml", "functions"} {
		if err := os.Symlink(filepath.Join(here, name), filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	hearth, err := builtHearth()
	if err != nil {
		t.Fatal(err)
	}
	page := pageAddr(t, b.broker)
	b.program = testserver.Program{Addr: page, Path: hearth, Dir: root, URL: "http://" + page + "/healthz",
		Env: []string{"PORT=" + port(page), "MQTT_PORT=" + port(b.broker), "HEARTH_DIR=" + b.state, "EDGE=off", "LOG_FORMAT=json"}}
	t.Cleanup(func() {
		if t.Failed() && b.up != nil {
			t.Logf("the end of the platform's log:\n%s", b.up.Log())
		}
	})
	return b
}

// start starts the program, or restarts it. With strace set, strace writes a line for
// each sync, which costs processor time. It returns false, and starts nothing, if
// strace is wanted and not installed.
func (b *box) start(t *testing.T, strace bool) bool {
	t.Helper()
	p := b.program
	b.trace = ""
	if strace {
		path := tool.Find(t, "apt-get install strace", "strace")
		if path == "" {
			return false
		}
		b.trace = filepath.Join(p.Dir, "syncs")
		// strace stops the program only at syncs (--seccomp-bpf). It traces from a process
		// of its own (-D), so the process id is the program's.
		p.Args = []string{"-D", "-f", "--seccomp-bpf", "-qq", "-e", "trace=fsync,fdatasync,sync_file_range,msync,syncfs,sync", "-e", "signal=none", "-o", b.trace, p.Path}
		p.Path = path
	}
	if b.up != nil {
		if err := b.up.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	b.up = testserver.Own(t, p)
	return true
}

// pageAddr returns a free address whose next port is free too: the connector's HTTP
// server listens there.
func pageAddr(t *testing.T, broker string) string {
	t.Helper()
	for {
		addr := free.Addr(t)
		n, err := strconv.Atoi(port(addr))
		if err != nil {
			t.Fatal(err)
		}
		next := net.JoinHostPort("127.0.0.1", strconv.Itoa(n+1))
		if l, err := net.Listen("tcp", next); err == nil && next != broker {
			l.Close()
			return addr
		}
	}
}

func (b *box) database() string { return filepath.Join(b.state, "hearth.db") }

// counters are what the process has used up to a moment.
type counters struct {
	at    time.Time
	cpu   float64 // seconds
	syncs int
}

func (b *box) measure(t *testing.T) counters {
	t.Helper()
	m := counters{at: time.Now(), cpu: cpu(t, b.up)}
	if b.trace != "" {
		text, err := os.ReadFile(b.trace)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			if !bytes.Contains(line, []byte("resumed>")) { // the second line of a sync already counted
				m.syncs++
			}
		}
	}
	return m
}

// since returns what the process has used from m until now.
func (b *box) since(t *testing.T, m counters) cost {
	t.Helper()
	end := b.measure(t)
	span := end.at.Sub(m.at).Seconds()
	p := cost{cpu: (end.cpu - m.cpu) / span, syncs: float64(end.syncs-m.syncs) / span,
		memory: entry(t, b.up, "status", "VmRSS:") * 1024 / 1e6, peak: peak(t, b.up)}
	return p
}

// fill stores n readings of the past year, as in a home that has run hearth for long.
func (b *box) fill(t *testing.T, n int) {
	t.Helper()
	st, err := sqlite.Open(t.Context(), b.database())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	const batch = 5000
	end := time.Now().UTC().Truncate(time.Second)
	rs := make([]reading.Reading, 0, batch)
	for k := range n {
		rs = append(rs, reading.Reading{Name: "air", Tags: map[string]string{"device": fmt.Sprintf("before-%d", k%soakDevices)},
			Fields: map[string]float64{field: float64(k % 1000)}, Time: end.Add(-time.Duration(1+k/soakDevices) * 30 * time.Second)})
		if len(rs) == batch || k == n-1 {
			if err := st.Write(t.Context(), rs); err != nil {
				t.Fatal(err)
			}
			rs = rs[:0]
		}
	}
}
