package chaos

import (
	"bytes"
	"compress/gzip"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// influxProxy passes requests on to InfluxDB, or stands in its place. It records when
// each reading of the watched devices was written first.
type influxProxy struct {
	*httptest.Server
	prefix string // of the watched devices, as in line protocol
	next   http.Handler

	mu   sync.Mutex
	seen map[string]time.Time // by device and number
}

// newInfluxProxy returns a proxy to the InfluxDB at real. If real is "", it accepts
// every request and stores nothing.
func newInfluxProxy(t testing.TB, real, prefix string) *influxProxy {
	t.Helper()
	p := &influxProxy{prefix: ",device=" + prefix + "-", seen: map[string]time.Time{}}
	p.next = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	if real != "" {
		u, err := url.Parse(real)
		if err != nil {
			t.Fatal(err)
		}
		to := httputil.NewSingleHostReverseProxy(u)
		to.ErrorLog = log.New(io.Discard, "", 0) // the test stops InfluxDB on purpose
		p.next = to
	}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *influxProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	code := &status{w, http.StatusOK}
	p.next.ServeHTTP(code, r)
	if r.Method != http.MethodPost || code.code/100 != 2 {
		return
	}
	if r.Header.Get("Content-Encoding") == "gzip" {
		if z, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
			body, _ = io.ReadAll(z)
		}
	}
	p.read(string(body), now)
}

type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// read records the reading numbers in a request of line protocol.
func (p *influxProxy) read(body string, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range strings.Lines(body) {
		_, rest, ok := strings.Cut(line, p.prefix)
		if !ok {
			continue
		}
		id, _, _ := strings.Cut(rest, " ")
		id, _, _ = strings.Cut(id, ",")
		_, v, _ := strings.Cut(rest, field+"=")
		v, _, _ = strings.Cut(v, ",")
		v, _, _ = strings.Cut(v, " ")
		key := id + " " + v
		if _, again := p.seen[key]; !again {
			p.seen[key] = at
		}
	}
}

// delay returns the time from sent until a successful write request held reading k of
// s. It returns false if there was no such request yet.
func (p *influxProxy) delay(s stream, k int, sent time.Time) (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, ok := p.seen[strconv.Itoa(k%topics)+" "+strconv.Itoa(s.value(k))]
	return at.Sub(sent), ok
}

// delays returns the delays of all readings of s, sorted, and how many readings were in
// no write request. Reading i was sent at sent[i]; a zero time is skipped.
func (p *influxProxy) delays(s stream, sent []time.Time) (ds []time.Duration, missing int) {
	for k, at := range sent {
		if at.IsZero() {
			continue
		}
		if d, ok := p.delay(s, k, at); ok {
			ds = append(ds, d)
		} else {
			missing++
		}
	}
	slices.Sort(ds)
	return ds, missing
}

// quantile of sorted delays.
func quantile(ds []time.Duration, q float64) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	return ds[min(int(q*float64(len(ds))), len(ds)-1)].Round(100 * time.Microsecond)
}
