package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/hearth-home/hearth/edge/window"
	"github.com/hearth-home/hearth/shared/wire"
)

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
	statuses []wire.NodeStatus
	said     string
	forget   func(wire.Reading) bool // what a broker lost
	quiet    time.Duration           // it tells nothing before so long nothing new came
	came     time.Time               // the last that was new
}

type stored struct {
	wire.Reading
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
		var st wire.NodeStatus
		if json.Unmarshal(m.Payload(), &st) == nil {
			s.statuses = append(s.statuses, st)
		}
		return
	}
	var r wire.Reading
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
		s.came = time.Now()
	}
	s.got[k] = append(s.got[k], stored{r, m.Topic(), time.Now()})
	s.upto[r.Boot] = max(s.upto[r.Boot], r.Gone)
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
		boot, seq := s.said, s.upto[s.said]
		if time.Since(s.came) < s.quiet {
			boot = ""
		} else {
			s.said = ""
		}
		s.mu.Unlock()
		if s.answers && boot != "" && s.client.IsConnectionOpen() {
			s.client.Publish("hearth/pi/stored", 1, true, fmt.Sprintf(`{"boot":%q,"seq":%d}`, boot, seq))
		}
	}
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

func (s *store) lastStatus() wire.NodeStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.statuses) == 0 {
		return wire.NodeStatus{}
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
