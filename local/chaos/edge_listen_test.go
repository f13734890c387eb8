package chaos

import (
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// ear hears a node's readings in the order in which the broker gets them.
type ear struct {
	mu   sync.Mutex
	boot string // the first that it heard of
	came []arrival
	seen map[uint64]bool
}

type arrival struct {
	device string
	seq    uint64
	late   time.Duration // since it was taken
}

func (h *house) listen(node string) *ear {
	h.t.Helper()
	e := &ear{seen: map[uint64]bool{}}
	o := mqtt.NewClientOptions().AddBroker("tcp://" + h.broker.Addr).SetClientID("ear").SetCleanSession(false).
		SetMaxReconnectInterval(200 * time.Millisecond) // in order, unlike a publisher
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
		var r edgeReading
		if json.Unmarshal(m.Payload(), &r) != nil || r.Seq == 0 || r.Device == "" {
			return
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.boot == "" {
			e.boot = r.Boot
		}
		if r.Boot == e.boot && !e.seen[r.Seq] {
			e.seen[r.Seq] = true
			e.came = append(e.came, arrival{r.Device, r.Seq, time.Since(r.Time)})
		}
	})
	client := mqtt.NewClient(o)
	for _, do := range []func() mqtt.Token{client.Connect, func() mqtt.Token { return client.Subscribe("hearth/"+node+"/+", 1, nil) }} {
		if tok := do(); !tok.WaitTimeout(patience) || tok.Error() != nil {
			h.t.Fatal("listen: ", tok.Error())
		}
	}
	h.t.Cleanup(func() { client.Disconnect(100) })
	return e
}

func (e *ear) heard(seq uint64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seen[seq]
}

// highest is the number up to which something was heard.
func (e *ear) highest() (n uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, a := range e.came {
		n = max(n, a.seq)
	}
	return n
}

// parts are what the way of a backlog is cut into; in each both kinds have a share.
const parts = 10

// judge looks at the arrivals: the numbers from first to last, which waited on disk,
// must come in order. What overtakes a lower number is new.
func (e *ear) judge(t *testing.T, first, last uint64) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	end := slices.IndexFunc(e.came, func(a arrival) bool { return a.seq == last })
	way := e.came[:end+1]
	lowest := last // of those behind
	fresh := make([]bool, len(way))
	begin := end
	for i := range slices.Backward(way) {
		fresh[i] = way[i].seq > lowest
		lowest = min(lowest, way[i].seq)
		if way[i].seq >= first && !fresh[i] {
			begin = i
		} else if fresh[i] && way[i].seq <= last {
			t.Errorf("%s: number %d of the backlog came before %d", way[i].device, way[i].seq, lowest)
		}
	}
	for begin < end && !fresh[begin] { // what the broker had and nobody had heard yet
		begin++
	}
	var shares [parts][2]int
	var late []time.Duration
	for i := begin; i < end; i++ {
		share := &shares[(i-begin)*parts/(end-begin)]
		if fresh[i] {
			late = append(late, way[i].late)
			share[0]++
		} else {
			share[1]++
		}
	}
	for i, share := range shares {
		if all := share[0] + share[1]; share[0]*20 < all || share[1]*20 < all {
			t.Errorf("part %d of %d: %d new readings, %d of the backlog: one of them starves", i+1, parts, share[0], share[1])
		}
	}
	slices.Sort(late)
	t.Logf("meanwhile %d new readings came, p50 %s, p99 %s, at most %s after they were taken", len(late), quantile(late, 0.5), quantile(late, 0.99), quantile(late, 1))
}
