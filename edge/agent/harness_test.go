package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"

	"github.com/hearth-home/hearth/edge/kinds"
	"github.com/hearth-home/hearth/edge/window"
	"github.com/hearth-home/hearth/shared/secret"
)

// broker is a mochi broker behind a gate: stop and start take it away from who
// connects to addr. The store connects to direct, so that it misses nothing.
type broker struct {
	t            testing.TB
	addr, direct string

	mu    sync.Mutex
	gate  net.Listener
	conns []net.Conn
}

func startBroker(t testing.TB) *broker {
	t.Helper()
	c := mochi.NewDefaultServerCapabilities()
	c.MaximumClientWritesPending, c.MaximumInflight = 1<<20, math.MaxUint16
	server := mochi.New(&mochi.Options{Capabilities: c, Logger: slog.New(slog.DiscardHandler)})
	server.AddHook(new(auth.AllowHook), nil)
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	if err := server.AddListener(l); err != nil {
		t.Fatal(err)
	}
	if err := server.Serve(); err != nil {
		t.Fatal(err)
	}
	b := &broker{t: t, addr: "127.0.0.1:0", direct: l.Address()}
	b.start()
	t.Cleanup(func() { b.stop(); server.Close() })
	return b
}

func (b *broker) start() {
	gate, err := net.Listen("tcp", b.addr)
	if err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	b.gate, b.addr = gate, gate.Addr().String()
	b.mu.Unlock()
	go func() {
		for {
			in, err := gate.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", b.direct)
			if err != nil {
				in.Close()
				return
			}
			b.mu.Lock()
			if b.gate != gate {
				in.Close()
				out.Close()
			}
			b.conns = append(b.conns, in, out)
			b.mu.Unlock()
			for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
				go func() {
					io.Copy(way[0], way[1])
					in.Close()
					out.Close()
				}()
			}
		}
	}()
}

func (b *broker) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gate != nil {
		b.gate.Close()
		b.gate = nil
	}
	for _, c := range b.conns {
		c.Close()
	}
	b.conns = nil
}

// store stands for connector, function and store: it keeps every reading by its
// number, and where it answers tells up to where it has all.
type store struct {
	t       testing.TB
	answers bool
	client  paho.Client

	mu       sync.Mutex
	got      map[window.Key][]stored // each time it came
	order    []window.Key
	upto     map[string]uint64
	statuses []status
	said     string
	forget   func(Reading) bool // what a broker lost
	giveUp   bool               // on numbers that stay away
	stuck    map[string]uint64  // the place a while ago, by boot
}

type stored struct {
	Reading
	topic string
	at    time.Time
}

func startStore(t testing.TB, addr string, answers bool) *store {
	t.Helper()
	s := &store{t: t, answers: answers, got: map[window.Key][]stored{}, upto: map[string]uint64{}}
	s.connect(addr)
	return s
}

func (s *store) connect(addr string) {
	t := s.t
	o := paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("store").SetCleanSession(false).
		SetAutoReconnect(true).SetMaxReconnectInterval(200 * time.Millisecond).SetConnectRetry(true).SetConnectRetryInterval(100 * time.Millisecond).
		SetOrderMatters(true).SetDefaultPublishHandler(s.take)
	s.client = paho.NewClient(o)
	s.back()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.tell(ctx) }()
	t.Cleanup(func() { cancel(); <-done; s.client.Disconnect(50) })
}

// back connects, at first and after the connector was away.
func (s *store) back() {
	s.t.Helper()
	for _, do := range []func() paho.Token{s.client.Connect, func() paho.Token { return s.client.Subscribe("hearth/#", 1, nil) }} {
		if tok := do(); !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
			s.t.Fatalf("the store cannot reach the broker: %v", tok.Error())
		}
	}
}

func (s *store) take(_ paho.Client, m paho.Message) {
	if strings.HasSuffix(m.Topic(), "/stored") {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.HasSuffix(m.Topic(), "/status") {
		var st status
		if json.Unmarshal(m.Payload(), &st) == nil {
			s.statuses = append(s.statuses, st)
		}
		return
	}
	var r Reading
	if err := json.Unmarshal(m.Payload(), &r); err != nil {
		s.t.Errorf("%s: %v in %s", m.Topic(), err, m.Payload())
		return
	}
	k := window.Key{Boot: r.Boot, Seq: r.Seq}
	if s.forget != nil && s.forget(r) {
		return
	}
	if s.got[k] == nil {
		s.order = append(s.order, k)
	}
	s.got[k] = append(s.got[k], stored{r, m.Topic(), time.Now()})
	for s.got[window.Key{Boot: r.Boot, Seq: s.upto[r.Boot] + 1}] != nil {
		s.upto[r.Boot]++
	}
	if len(s.order) > 0 {
		s.said = r.Boot
	}
}

// tell publishes the place of the boot that was heard last.
func (s *store) tell(ctx context.Context) {
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		s.mu.Lock()
		if s.giveUp {
			s.pass(s.said)
		}
		boot, seq := s.said, s.upto[s.said]
		s.said = ""
		s.mu.Unlock()
		if s.answers && boot != "" && s.client.IsConnectionOpen() {
			s.client.Publish("hearth/pi/stored", 1, true, fmt.Sprintf(`{"boot":%q,"seq":%d}`, boot, seq))
		}
	}
}

// pass leaves behind what did not come since the last look. With s.mu.
func (s *store) pass(boot string) {
	highest := uint64(0)
	for k := range s.got {
		if k.Boot == boot {
			highest = max(highest, k.Seq)
		}
	}
	if s.stuck == nil {
		s.stuck = map[string]uint64{}
	}
	if n := s.upto[boot]; s.stuck[boot] == n && n < highest {
		for n++; s.got[window.Key{Boot: boot, Seq: n}] == nil; {
			n++
		}
		s.upto[boot] = n
	}
	s.stuck[boot] = s.upto[boot]
}

func (s *store) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.got)
}

func (s *store) set(how func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how()
}

func (s *store) countOf(boot string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k := range s.got {
		if k.Boot == boot {
			n++
		}
	}
	return n
}

func (s *store) uptoOf(boot string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.upto[boot]
}

func (s *store) all() map[window.Key][]stored {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.got)
}

func (s *store) ordered() (rs []stored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.order {
		rs = append(rs, s.got[k][0])
	}
	return rs
}

func (s *store) lastStatus() status {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.statuses) == 0 {
		return status{}
	}
	return s.statuses[len(s.statuses)-1]
}

// complete checks that of every boot all numbers came, up to the highest, and
// that what came twice was the same.
func (s *store) complete() {
	s.t.Helper()
	highest := map[string]uint64{}
	for k, times := range s.all() {
		highest[k.Boot] = max(highest[k.Boot], k.Seq)
		for _, again := range times[1:] {
			if again.Time != times[0].Time || again.Quality != times[0].Quality || again.topic != times[0].topic {
				s.t.Errorf("%v came as %+v and as %+v", k, times[0], again)
			}
		}
	}
	for boot, n := range highest {
		s.mu.Lock()
		upto := s.upto[boot]
		s.mu.Unlock()
		if upto != n {
			s.t.Errorf("boot %s: %d is missing, %d came", boot, upto+1, n)
		}
	}
}

// times checks that the times of each device rise in the order of its numbers
// and that no two readings share one.
func (s *store) times() {
	s.t.Helper()
	type point struct{ device, time string }
	seen := map[point]window.Key{}
	for k, r := range s.all() {
		if r[0].Time == "" {
			continue
		}
		p := point{r[0].Device, r[0].Time}
		if other, ok := seen[p]; ok {
			s.t.Errorf("%v and %v of %s share the time %s", k, other, p.device, p.time)
		}
		seen[p] = k
	}
}

// running is an agent under test.
type running struct {
	*Agent
	stop func() error // as SIGTERM does
}

// runAgent runs an agent of node pi on simulated sensors; settings outweigh the
// defaults.
func runAgent(t testing.TB, settings map[string]string, d Deps) *running {
	t.Helper()
	a := newAgent(t, settings, d)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stop := sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return &running{a, stop}
}

func newAgent(t testing.TB, settings map[string]string, d Deps) *Agent {
	t.Helper()
	vars := map[string]string{
		"NODE": "pi", "LISTEN": "off", "SIMULATE": "true", "SIMULATE_SPEED": "1", "EDGE_CONFIG_DIR": t.TempDir(),
		"SPOOL_SYNC": "0s", "RESEND_AFTER": "2s",
	}
	maps.Copy(vars, settings)
	if vars["SPOOL_DIR"] == "" {
		vars["SPOOL_DIR"] = filepath.Join(t.TempDir(), "spool")
	}
	c, err := Parse(vars, secret.NewFolder(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	if d.Log == nil {
		d.Log = slog.New(slog.NewTextHandler(logTo(t), nil))
	}
	if d.Clock.Wall != nil {
		c.Simulate = false // the clock is not to be trusted because of it
	}
	a, err := New(c, d)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// logTo is where agents log: nowhere, unless asked for.
func logTo(testing.TB) io.Writer {
	if os.Getenv("HEARTH_TEST_LOG") != "" {
		return os.Stderr
	}
	return io.Discard
}

// sensors are n quick ones.
func sensors(n int, interval time.Duration) map[string]string {
	vars := map[string]string{}
	for i := range n {
		p := "SENSOR_" + strconv.Itoa(i) + "_"
		vars[p+"KIND"], vars[p+"DEVICE"] = "host", "host-"+strconv.Itoa(i)
		vars[p+"INTERVAL"], vars[p+"EVERY"], vars[p+"NVIDIA_SMI"] = interval.String(), "0s", ""
	}
	return vars
}

func with(maps ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range maps {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

const patience = 60 * time.Second

func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}

// backlog is how many readings are on disk.
func (r *running) backlog() uint64 {
	v := r.look()
	if v.reader == nil {
		return 0
	}
	return v.reader.Lag().Records
}

// simulated is a machine without hardware.
func simulated(ctx context.Context) *kinds.Machine { return kinds.Simulated(ctx, 1) }
