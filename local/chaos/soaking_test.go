package chaos

import (
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

const (
	soakDevices = 40
	soakNodes   = 8
	soakName    = "soak-"
	pollEvery   = 5 * time.Millisecond // between two polls of the database
	lookBack    = 10 * time.Second     // a reading that is stored later than this is only counted at the end
)

// soaking publishes numbered readings of 40 devices and measures when each is stored.
type soaking struct {
	t    *testing.T
	box  *box
	p    *publisher
	st   *store.Store
	conn *sql.Conn // its data_version changes when the platform commits
	from time.Time

	mu   sync.Mutex
	sent []time.Time     // by number
	took []time.Duration // by number: from sent until stored; 0: not seen yet
	seen int             // all readings below this number were seen
}

func newSoak(t *testing.T, b *box) *soaking {
	t.Helper()
	s := &soaking{t: t, box: b, p: newPublisher(t, b.broker, "sensors"), from: time.Now()}
	var err error
	if s.st, err = sqlite.Open(t.Context(), b.database()); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+b.database()+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	if s.conn, err = db.Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); s.watch(stop) }()
	t.Cleanup(func() { close(stop); <-done; s.conn.Close(); db.Close(); s.st.Close() })
	return s
}

// publish publishes readings for d, pace a second.
func (s *soaking) publish(d time.Duration) {
	s.p.each(int(float64(pace)*d.Seconds()), d, func(int) (topic, payload string) {
		s.mu.Lock()
		k := len(s.sent)
		at := time.Now().UTC().Truncate(time.Millisecond)
		s.sent, s.took = append(s.sent, time.Now()), append(s.took, 0)
		s.mu.Unlock()
		device, node := soakName+strconv.Itoa(k%soakDevices), "soak"+strconv.Itoa(k%soakNodes)
		return "hearth/" + node + "/" + device, fmt.Sprintf(`{"device":%q,"sensor":"pms5003","time":%q,"boot":"9f3c2a1b","seq":%d,"fields":{%q:%d,"pm2_5_ugm3":%.1f,"pm10_ugm3":%.1f},"quality":"ok"}`,
			device, at.Format(time.RFC3339Nano), k/soakNodes+1, field, k/soakDevices+1, 6+float64(k%7)/10, 8+float64(k%5)/10)
	})
}

// cost publishes readings for d and returns what the platform used meanwhile.
func (s *soaking) cost(d time.Duration) cost {
	s.t.Helper()
	first, begin := len(s.sent), s.box.measure(s.t)
	s.publish(d)
	p := s.box.since(s.t, begin)
	until(s.t, "all is stored", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.seen == len(s.sent) })
	took := slices.Sorted(slices.Values(s.took[first:]))
	p.p50, p.p99, p.most = quantile(took, 0.5), quantile(took, 0.99), quantile(took, 1)
	return p
}

// numberOf returns the number of a reading; ok is false for a reading of other devices.
func numberOf(r reading.Reading) (k int, ok bool) {
	name, ours := strings.CutPrefix(r.Tags["device"], soakName)
	device, err := strconv.Atoi(name)
	return (int(r.Fields[field])-1)*soakDevices + device, ours && err == nil
}

// watch looks for new readings whenever the platform has committed, until stop is
// closed.
func (s *soaking) watch(stop <-chan struct{}) {
	for last := int64(-1); ; {
		select {
		case <-stop:
			return
		case <-time.After(pollEvery):
		}
		var version int64
		err := s.conn.QueryRowContext(s.t.Context(), "pragma data_version").Scan(&version)
		if now := time.Now(); err == nil && version != last {
			last = version
			s.see(now)
		}
	}
}

// see records the readings that are stored since its last call.
func (s *soaking) see(now time.Time) {
	s.mu.Lock()
	if s.seen == len(s.sent) {
		s.mu.Unlock()
		return
	}
	from := s.sent[s.seen].Add(-time.Second)
	s.mu.Unlock()
	if back := now.Add(-lookBack); from.Before(back) {
		from = back
	}
	rs, err := s.st.Between(s.t.Context(), "air", nil, from, now.Add(time.Second))
	if err != nil {
		return // the next poll finds them
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rs {
		if k, ok := numberOf(r); ok && k < len(s.sent) && s.took[k] == 0 {
			s.took[k] = now.Sub(s.sent[k])
		}
	}
	for s.seen < len(s.sent) && s.took[s.seen] > 0 {
		s.seen++
	}
}

// verify checks that every number is stored exactly once.
func (s *soaking) verify() {
	s.t.Helper()
	times := make([]int, len(s.sent))
	const span = 10 * time.Minute
	for from := s.from.Add(-span); from.Before(time.Now().Add(span)); from = from.Add(span) {
		rs, err := s.st.Between(s.t.Context(), "air", nil, from, from.Add(span))
		if err != nil {
			s.t.Fatal(err)
		}
		for _, r := range rs {
			if k, ok := numberOf(r); ok && k < len(times) {
				times[k]++
			}
		}
	}
	for k, n := range times {
		if n != 1 {
			s.t.Fatalf("reading %d of %d is stored %d times", k, len(times), n)
		}
	}
}
