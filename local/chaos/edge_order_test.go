package chaos

import (
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// subscriber records a node's readings in the order in which the broker receives them.
type subscriber struct {
	mu       sync.Mutex
	boot     string // of the first reading received
	arrivals []arrival
	seen     map[uint64]bool
}

type arrival struct {
	device string
	seq    uint64
	late   time.Duration // from reading the sensor to receiving the message
}

func (h *hearth) subscribe(node string) *subscriber {
	h.t.Helper()
	s := &subscriber{seen: map[uint64]bool{}}
	o := mqtt.NewClientOptions().AddBroker("tcp://" + h.broker.Addr).SetClientID("subscriber-order").SetCleanSession(false).
		SetMaxReconnectInterval(200 * time.Millisecond) // keeps the order of messages, unlike a publisher's client
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
		var r edgeReading
		if json.Unmarshal(m.Payload(), &r) != nil || r.Seq == 0 || r.Device == "" {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.boot == "" {
			s.boot = r.Boot
		}
		if r.Boot == s.boot && !s.seen[r.Seq] {
			s.seen[r.Seq] = true
			s.arrivals = append(s.arrivals, arrival{r.Device, r.Seq, time.Since(r.Time)})
		}
	})
	client := mqtt.NewClient(o)
	for _, do := range []func() mqtt.Token{client.Connect, func() mqtt.Token { return client.Subscribe("hearth/"+node+"/+", 1, nil) }} {
		if tok := do(); !tok.WaitTimeout(patience) || tok.Error() != nil {
			h.t.Fatal("subscribe: ", tok.Error())
		}
	}
	h.t.Cleanup(func() { client.Disconnect(100) })
	return s
}

func (s *subscriber) received(seq uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[seq]
}

// highest returns the highest number received.
func (s *subscriber) highest() (n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.arrivals {
		n = max(n, a.seq)
	}
	return n
}

// parts is how many parts the arrivals of a backlog are divided into. Each part must
// hold both backlog and new readings.
const parts = 10

// checkOrder checks the order of arrivals. The numbers from first to last waited on
// disk and must arrive in order. A reading that arrives before a lower number counts
// as new: it was published beside the backlog.
func (s *subscriber) checkOrder(t *testing.T, first, last uint64) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	end := slices.IndexFunc(s.arrivals, func(a arrival) bool { return a.seq == last })
	came := s.arrivals[:end+1]
	lowest := last // number among the later arrivals
	fresh := make([]bool, len(came))
	begin := end
	for i := range slices.Backward(came) {
		fresh[i] = came[i].seq > lowest
		lowest = min(lowest, came[i].seq)
		if came[i].seq >= first && !fresh[i] {
			begin = i
		} else if fresh[i] && came[i].seq <= last {
			t.Errorf("%s: number %d of the backlog came before %d", came[i].device, came[i].seq, lowest)
		}
	}
	for begin < end && !fresh[begin] { // readings that the broker had queued before it was stopped
		begin++
	}
	var shares [parts][2]int
	var late []time.Duration
	for i := begin; i < end; i++ {
		share := &shares[(i-begin)*parts/(end-begin)]
		if fresh[i] {
			late = append(late, came[i].late)
			share[0]++
		} else {
			share[1]++
		}
	}
	for i, share := range shares {
		if all := share[0] + share[1]; share[0]*20 < all || share[1]*20 < all {
			t.Errorf("part %d of %d: %d new readings, %d of the backlog: want at least 5 %% of each", i+1, parts, share[0], share[1])
		}
	}
	slices.Sort(late)
	t.Logf("meanwhile %d new readings came: p50 %s, p99 %s, at most %s after the sensor was read", len(late), quantile(late, 0.5), quantile(late, 0.99), quantile(late, 1))
}
