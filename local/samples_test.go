package local

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/reading"
)

func (r *running) pageData() (d status.Data) {
	r.t.Helper()
	if _, body := r.call("GET", "/status.json"); json.Unmarshal([]byte(body), &d) != nil || len(d.Functions) == 0 {
		r.t.Fatalf("page = %s", body)
	}
	return d
}

// stored returns the newest reading of each series, and how many of them are samples.
func (r *running) stored() (all []reading.Reading, samples int) {
	r.t.Helper()
	st, err := r.open(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	all, err = st.Latest(r.t.Context(), "weather", time.Now().Add(-48*time.Hour))
	if err != nil {
		r.t.Fatal(err)
	}
	for _, one := range all {
		if one.Tags["sample"] != "" {
			samples++
		}
	}
	return all, samples
}

// The internet may be missing at the first start. The page shows samples then, and why, and
// live data as soon as the upstream answers.
func TestSamplesStayUntilTheUpstreamAnswers(t *testing.T) {
	var up atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !up.Load() {
			panic(http.ErrAbortHandler) // the connection is closed
		}
		_ = json.NewEncoder(w).Encode(map[string]int64{"dt": time.Now().Add(-time.Hour).Truncate(time.Hour).Unix()})
	}))
	defer srv.Close()
	root := repository(t)
	for range 2 { // a second start too
		r := launch(t, root, "LIVE=all", "TINY_KEY=real-key-1", "TINY_URL="+srv.URL)
		r.eventually("a failed run", func() bool { return slices.Contains(r.runs(), "cron/failed") })
		if all, samples := r.stored(); len(all) != 1 || samples != 1 {
			t.Errorf("stored %v, want the sample", all)
		}
		d := r.pageData()
		if len(d.Measurements) != 1 || !d.Measurements[0].Series[0].Sample || d.Functions[0].State != status.Live {
			t.Errorf("page = %+v", d)
		}
		if n := strings.Join(d.Notes, "|"); !strings.Contains(n, "weather shows sample data until its upstream answers: home: ") || !strings.Contains(n, "closed the connection") {
			t.Errorf("notes = %q", n)
		}
		r.stop()
	}
	r := launch(t, root, "LIVE=all", "TINY_KEY=real-key-1", "TINY_URL="+srv.URL)
	r.settled()
	up.Store(true)
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { r.retrySeeded(ctx, 10*time.Millisecond) })
	defer done.Wait()
	defer stop()
	r.eventually("a live run by itself", func() bool { return slices.Contains(r.runs(), "http/ok") })
	if all, samples := r.stored(); len(all) != 1 || samples != 0 {
		t.Errorf("stored %v, want the live reading alone", all)
	}
	if d := r.pageData(); len(d.Notes) != 0 {
		t.Errorf("notes = %q", d.Notes)
	}
}

// A key that is taken out of .env, or emptied, takes effect at the next start.
func TestWithoutItsKeyASourceIsNotFetchedAnyMore(t *testing.T) {
	for _, left := range []string{"", "TINY_KEY=\n"} {
		address, keys := upstream(t)
		root := repository(t)
		dotenv := filepath.Join(root, ".env")
		write(t, dotenv, "TINY_KEY=real-key-1\nTINY_URL="+address+"\n")
		r := launch(t, root)
		r.eventually("a live run", func() bool { return slices.Contains(r.runs(), "cron/ok") })
		next(t, keys)
		r.stop()
		write(t, dotenv, left+"TINY_URL="+address+"\n")
		r = launch(t, root)
		if d := r.pageData(); d.Functions[0].State != status.Unconfigured || !slices.Equal(d.Functions[0].Missing, []string{"TINY_KEY"}) {
			t.Errorf("%q: page = %+v", left, d.Functions)
		}
		if a := r.invoke(""); a.Status != "not_configured" || len(keys) != 0 {
			t.Errorf("%q: answer = %+v, %d calls of the upstream", left, a, len(keys))
		}
		if all, samples := r.stored(); len(all) != 1 || samples != 0 {
			t.Errorf("%q: stored %v, want the live reading, and no sample beside it", left, all)
		}
		r.stop()
	}
}

// A source that never worked with its key works on samples again, at once.
func TestWithoutAKeyThatWasRefusedASourceShowsSamplesAtOnce(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	defer srv.Close()
	root := repository(t)
	r := launch(t, root, "TINY_KEY=wrong-key-1", "TINY_URL="+srv.URL)
	r.eventually("a failed run", func() bool { return slices.Contains(r.runs(), "cron/failed") })
	r.stop()
	r = launch(t, root)
	r.eventually("a run on samples", func() bool { return slices.Index(r.runs(), "cron/ok/sample") == 0 })
	if d := r.pageData(); d.Functions[0].State != status.Sample || len(d.Notes) != 0 {
		t.Errorf("page = %+v", d)
	}
	st, err := r.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	states, err := st.Targets(t.Context(), "weather")
	if err != nil || !states["home"].Failing.IsZero() {
		t.Errorf("%+v, %v", states, err)
	}
}
