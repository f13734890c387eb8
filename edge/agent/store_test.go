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

// store stands for connector, function and store. It keeps every reading by its number,
// and if answers is true it publishes stored messages.
type store struct {
	t       testing.TB
	answers bool
	client  paho.Client

	mu         sync.Mutex
	got        map[window.Key][]stored // every delivery of the reading
	order      []window.Key
	storedUpTo map[string]uint64
	statuses   []wire.NodeStatus
	newestBoot string
	forget     func(wire.Reading) bool // whether the broker loses the reading
	minQuiet   time.Duration           // no stored message before so long no new reading came
	lastNew    time.Time               // when the last new reading came
}

type stored struct {
	wire.Reading
	topic string
	at    time.Time
}

func startStore(t testing.TB, addr string, answers bool) *store {
	t.Helper()
	s := &store{t: t, answers: answers, got: map[window.Key][]stored{}, storedUpTo: map[string]uint64{}}
	s.connect(addr)
	return s
}

func (s *store) connect(addr string) {
	t := s.t
	o := paho.NewClientOptions().AddBroker("tcp://" + addr).SetClientID("store").SetCleanSession(false).
		SetAutoReconnect(true).SetMaxReconnectInterval(200 * time.Millisecond).SetConnectRetry(true).SetConnectRetryInterval(100 * time.Millisecond).
		SetOrderMatters(true).SetDefaultPublishHandler(s.take)
	s.client = paho.NewClient(o)
	s.subscribe()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.publishStored(ctx) }()
	t.Cleanup(func() { cancel(); <-done; s.client.Disconnect(50) })
}

// subscribe connects and subscribes, at first and after the connector was down.
func (s *store) subscribe() {
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
		s.lastNew = time.Now()
	}
	s.got[k] = append(s.got[k], stored{r, m.Topic(), time.Now()})
	s.storedUpTo[r.Boot] = max(s.storedUpTo[r.Boot], r.Gone)
	for s.got[window.Key{Boot: r.Boot, Seq: s.storedUpTo[r.Boot] + 1}] != nil {
		s.storedUpTo[r.Boot]++
	}
	if len(s.order) > 0 {
		s.newestBoot = r.Boot
	}
}

// publishStored publishes stored messages, for the boot whose reading came last.
func (s *store) publishStored(ctx context.Context) {
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		s.mu.Lock()
		boot, seq := s.newestBoot, s.storedUpTo[s.newestBoot]
		if time.Since(s.lastNew) < s.minQuiet {
			boot = ""
		} else {
			s.newestBoot = ""
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

func (s *store) storedUpToOf(boot string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.storedUpTo[boot]
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

// complete checks that all numbers of every boot came, up to the highest, and that
// readings that came twice were the same.
func (s *store) complete() {
	s.t.Helper()
	s.mu.Lock() // both of one moment: more may come
	got, storedUpTo := maps.Clone(s.got), maps.Clone(s.storedUpTo)
	s.mu.Unlock()
	highest := map[string]uint64{}
	for k, times := range got {
		highest[k.Boot] = max(highest[k.Boot], k.Seq)
		for _, again := range times[1:] {
			if again.Time != times[0].Time || again.Quality != times[0].Quality || again.topic != times[0].topic {
				s.t.Errorf("%v came first as %+v and again as %+v", k, times[0], again)
			}
		}
	}
	for boot, n := range highest {
		if upto := storedUpTo[boot]; upto != n {
			s.t.Errorf("boot %s: reading %d is missing, the highest number is %d", boot, upto+1, n)
		}
	}
}

// times checks that no two readings of a device have the same time.
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
