package chaos

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	topics = 200
	nodes  = 20
	field  = "particles_0_3um_per_dl" // holds the reading's number, which may be up to 65535
	step   = 100 * time.Millisecond   // between two readings of a device
)

// stream is n numbered readings of 200 devices at 20 nodes, as edge agents send
// them (design: "Edge reading on MQTT").
type stream struct {
	name string // begins the names of its nodes and devices
	n    int
	from time.Time
}

// newStream returns a stream whose last readings have about the time of now.
func newStream(name string, n int) stream {
	back := time.Duration(n/topics+1) * step
	return stream{name, n, time.Now().Add(-back).Truncate(time.Second)}
}

func (s stream) device(k int) string  { return fmt.Sprintf("%s-%d", s.name, k%topics) }
func (s stream) node(k int) string    { return fmt.Sprintf("%s%d", s.name, k%nodes) }
func (s stream) topic(k int) string   { return "hearth/" + s.node(k) + "/" + s.device(k) }
func (s stream) time(k int) time.Time { return s.from.Add(time.Duration(k/topics) * step).UTC() }

// value numbers the readings of a device, seq those of a node.
func (s stream) value(k int) int { return k/topics + 1 }
func (s stream) seq(k int) int   { return k/nodes + 1 }

func (s stream) payload(k int) string {
	return fmt.Sprintf(`{"device":%q,"sensor":"pms5003","time":%q,"boot":"9f3c2a1b","seq":%d,"fields":{%q:%d,"pm1_ugm3":%.1f,"pm2_5_ugm3":%.1f,"pm10_ugm3":%.1f,"temperature_celsius":%.1f},"quality":"ok"}`,
		s.device(k), s.time(k).Format(time.RFC3339Nano), s.seq(k), field, s.value(k), 2+float64(k%9)/10, 6+float64(k%7)/10, 8+float64(k%5)/10, 20+float64(k%30)/10)
}

// of returns how many readings a device has.
func (s stream) of(topic int) int { return (s.n - topic + topics - 1) / topics }

// point is a value in InfluxDB.
type point struct {
	at time.Time
	v  float64
}

// query asks InfluxDB 1.8 and returns the values of each device.
func (h *hearth) query(q string) (map[string][]point, error) {
	db, _, _ := strings.Cut(h.bucket, "/")
	res, err := http.Get(h.influxURL + "/query?" + url.Values{"db": {db}, "epoch": {"ns"}, "q": {q}}.Encode())
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var answer struct {
		Error   string
		Results []struct {
			Error  string
			Series []struct {
				Tags   struct{ Device string }
				Values [][2]json.Number
			}
		}
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 256<<20)).Decode(&answer); err != nil {
		return nil, err
	}
	out := map[string][]point{}
	for _, r := range answer.Results {
		answer.Error += r.Error
		for _, s := range r.Series {
			for _, v := range s.Values {
				ns, _ := v[0].Int64()
				f, _ := v[1].Float64()
				out[s.Tags.Device] = append(out[s.Tags.Device], point{time.Unix(0, ns).UTC(), f})
			}
		}
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("%s: %s", q, answer.Error)
	}
	return out, nil
}

// stored counts the points of a stream; 0 while InfluxDB cannot be reached.
func (h *hearth) stored(name string) int { return h.countPoints(name, field) }

// countPoints counts the points of a stream that have this field; 0 while InfluxDB
// cannot be reached.
func (h *hearth) countPoints(name, key string) int {
	all, err := h.query(fmt.Sprintf(`SELECT count(%q) FROM air WHERE device =~ /^%s-/`, key, name))
	if err != nil || len(all[""]) == 0 {
		return 0
	}
	return int(all[""][0].v)
}

// points returns the points of a stream, by device.
func (h *hearth) points(name string) map[string][]point {
	h.t.Helper()
	all, err := h.query(fmt.Sprintf(`SELECT %q FROM air WHERE device =~ /^%s-/ GROUP BY device`, field, name))
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

// compare returns the numbers of a stream that are missing, and describes the points
// that are stored more than once or were never sent.
func (s stream) compare(got map[string][]point) (missing []int, wrong []string) {
	for topic := range topics {
		seen := make([]int, s.of(topic))
		for _, p := range got[s.device(topic)] {
			i := int(p.v) - 1
			if i < 0 || i >= len(seen) || !p.at.Equal(s.time(i*topics+topic)) {
				wrong = append(wrong, fmt.Sprintf("%s has %g at %s", s.device(topic), p.v, p.at.Format(time.RFC3339Nano)))
				continue
			}
			seen[i]++
		}
		for i, n := range seen {
			switch {
			case n == 0:
				missing = append(missing, i*topics+topic)
			case n > 1:
				wrong = append(wrong, fmt.Sprintf("%s has number %d %d times", s.device(topic), i+1, n))
			}
		}
	}
	slices.Sort(missing)
	return missing, wrong
}

// verify checks that every number of s is stored exactly once.
func (h *hearth) verify(s stream) {
	h.t.Helper()
	missing, wrong := s.compare(h.points(s.name))
	if len(missing)+len(wrong) > 0 {
		h.t.Errorf("of %d readings %d are missing (numbers %v …) and %d are wrong (%q …)",
			s.n, len(missing), missing[:min(len(missing), 10)], len(wrong), wrong[:min(len(wrong), 10)])
	}
}

// awaitStored waits until all of s is stored. After patience the test fails with the
// numbers that are missing.
func (h *hearth) awaitStored(s stream) {
	h.t.Helper()
	if eventually(func() bool { return h.stored(s.name) >= s.n }) {
		return
	}
	h.verify(s)
	m, err := h.metrics()
	h.t.Logf("the connector's counts: %v, %v", m, err)
	h.t.Fatalf("not all is stored within %s", patience)
}

// open returns the store that the function writes to.
func (h *hearth) open() *store.Store {
	h.t.Helper()
	folder := secret.NewFolder(h.secrets)
	st, err := store.Open(h.t.Context(), store.Config{Database: folder.Get("database-url"),
		Influx: store.Influx{URL: h.influxURL, Org: "home", Bucket: h.bucket, Token: folder.Get("influx-token")}})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { st.Close() })
	return st
}

// checkCounts checks the platform's own count of each node's readings: all are stored
// and none is missing.
func (h *hearth) checkCounts(s stream) {
	h.t.Helper()
	seqs, err := h.open().EdgeSeqs(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	known := map[string]store.EdgeSeq{}
	for _, e := range seqs {
		known[e.Node] = e
	}
	for n := range min(nodes, s.n) {
		last := uint64(s.seq(s.n - 1 - (s.n-1-n)%nodes))
		if e := known[s.node(n)]; e.Upto != last || e.Highest != last || e.Missing != 0 {
			h.t.Errorf("node %s: stored up to %d of %d, the highest is %d, %d missing", s.node(n), e.Upto, last, e.Highest, e.Missing)
		}
	}
}

// awaitIdle waits until no message is in flight or queued: the broker has delivered
// all to the connector, and the connector has delivered all to the function.
func (h *hearth) awaitIdle(t testing.TB) {
	t.Helper()
	until(t, "the connector has no backlog", func() bool {
		m, err := h.metrics()
		return err == nil && m["hearth_mqtt_connected"] == 1 && m["hearth_mqtt_backlog_messages"] == 0
	})
}
