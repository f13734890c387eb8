package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/deadletter"
	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
	"github.com/hearth-home/hearth/shared/spool"
)

// rig is a Deliverer with its spool and dead letters in a folder. It has no broker.
type rig struct {
	*Deliverer
	t       *testing.T
	dir     string
	spool   *spool.Log
	letters *deadletter.Letters
	last    atomic.Int64    // arrival of the last message
	full    atomic.Int64    // how often the spool was full
	ending  <-chan struct{} // closed when stop is called
}

// setting is how a rig is set up.
type setting struct {
	maxBytes int64
	options  Options
}

// start runs a rig until stop is called or the test ends.
func start(t *testing.T, g *mqtttest.Gateway, dir string, change ...func(*setting)) (r *rig, stop func()) {
	t.Helper()
	r = open(t, g.URL, dir, change...)
	ctx, cancel := context.WithCancel(t.Context())
	r.ending = ctx.Done()
	var wg sync.WaitGroup
	wg.Go(func() { r.letters.Run(ctx) })
	wg.Go(func() { r.Run(ctx) })
	stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		if err := r.spool.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return r, stop
}

// open sets up a rig and does not run it.
func open(t *testing.T, gateway, dir string, change ...func(*setting)) *rig {
	t.Helper()
	s := setting{maxBytes: 64 << 20, options: Options{Gateway: gateway, Rebuild: 20 * time.Millisecond, CallTimeout: 5 * time.Second, Now: time.Now,
		Publish: func(string, []byte, bool) bool { return true }, Subscribe: func([]string) {},
		Redact: func(s string) string { return s }, Log: slog.New(slog.DiscardHandler)}}
	for _, f := range change {
		f(&s)
	}
	l, _, err := spool.Open(filepath.Join(dir, "spool"), spool.Options{MaxBytes: s.maxBytes, Policy: spool.RefuseNewest})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dir: dir, spool: l}
	r.letters, err = deadletter.Open(t.Context(), deadletter.Options{Dir: filepath.Join(dir, "dead"), Max: 1000, MaxBytes: 1 << 30, Append: l.Append, Now: time.Now, Log: s.options.Log,
		Pending: func(function string, seq spool.Seq) bool { return message.Pending(l, function, seq) },
		Room:    func() int64 { return math.MaxInt64 },
		Redact:  func(s string, n int) string { return s[:min(len(s), n)] }})
	if err != nil {
		t.Fatal(err)
	}
	s.options.Spool, s.options.Letters = l, r.letters
	if r.Deliverer, err = New(s.options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return r
}

// put appends messages to the spool, a hundred at a time, and waits while it is full.
func (r *rig) put(topic string, payloads ...string) {
	for part := range slices.Chunk(payloads, 100) {
		var records [][]byte
		for _, p := range part {
			m := message.Message{Arrival: max(time.Now().UnixNano(), r.last.Load()+1), Topic: topic, Payload: []byte(p), QoS: 1}
			r.last.Store(m.Arrival)
			records = append(records, m.Encode())
		}
		for {
			_, err := r.spool.Append(context.Background(), records...)
			if !errors.Is(err, spool.ErrFull) {
				break // stored, or the test is over
			}
			r.full.Add(1)
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// dead returns the number of dead letters.
func (r *rig) dead() int {
	return r.letters.Stats().Letters
}

// readLetter reads a letter with its payload.
func (r *rig) readLetter(d deadletter.Letter) (out deadletter.Letter) {
	r.t.Helper()
	b, err := os.ReadFile(filepath.Join(r.dir, "dead", d.ID+"."+d.Function+".json"))
	if err = errors.Join(err, json.Unmarshal(b, &out)); err != nil {
		r.t.Fatal(err)
	}
	return out
}

// waitSubscribed waits until exactly these functions have a consumer.
func (r *rig) waitSubscribed(names ...string) {
	r.t.Helper()
	mqtttest.Until(r.t, "functions", func() bool {
		have := []string{}
		for _, c := range r.all() {
			have = append(have, c.f.Name)
		}
		slices.Sort(have)
		return slices.Equal(have, names)
	})
}
