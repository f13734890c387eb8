package e2e

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openfaas/go-sdk/stack"
)

const (
	calls    = 1000
	callers  = 4
	callTime = 3 * time.Minute // for all of them
)

var client = &http.Client{Timeout: 30 * time.Second}

// messages are what the functions behind the MQTT connector get: a topic, and a
// payload to put time and number into.
var messages = map[string]struct{ topic, payload string }{
	"sensors": {"hearth/cellar/office-air", `{"device":"office-air","sensor":"sds011","time":"%s","boot":"e2e","seq":%d,"fields":{"pm2_5_ugm3":6.4},"quality":"ok"}`},
	"zigbee":  {"zigbee2mqtt/bridge/state", `{"state":"online","at":"%s","n":%d}`},
}

var numbers atomic.Int64 // of messages

// request is a call as f's connector makes it; a source's by hand where dry.
func request(t *testing.T, f stack.Function, url string, dry bool) *http.Request {
	t.Helper()
	body := ""
	n, now := numbers.Add(1), time.Now().UTC().Format(time.RFC3339Nano)
	m, ok := messages[f.Name]
	if ok {
		body = fmt.Sprintf(m.payload, now, n)
	} else if dry {
		url += "/?dry_run=true"
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return nil
	}
	if ok {
		r.Header.Set("X-Topic", m.topic)
		r.Header.Set("X-Mqtt-Id", strconv.FormatInt(n, 10))
		r.Header.Set("X-Mqtt-Time", now)
		r.Header.Set("X-Mqtt-Retained", "false")
	}
	return r
}

// call returns the answer; code 0 says that there was none.
func call(r *http.Request) (code int, body string) {
	res, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(b)
}

// served reports whether the function did what it can: after many calls the
// quota of its upstream is spent.
func served(code int) bool { return code == http.StatusOK || code == http.StatusTooManyRequests }

// callOften calls as connectors and a person would, only faster, and says which
// codes came how often, and how fast.
func callOften(t *testing.T, f stack.Function, url string, n int32) string {
	t.Helper()
	var mu sync.Mutex
	codes := map[int]int{}
	var begun atomic.Int32
	began := time.Now()
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for begun.Add(1) <= n {
				if time.Since(began) > callTime {
					t.Errorf("not done with %d calls after %s", n, callTime)
					return
				}
				code, body := call(request(t, f, url, true))
				mu.Lock()
				codes[code]++
				mu.Unlock()
				if !served(code) {
					t.Errorf("answered %d %s", code, body)
					return
				}
			}
		})
	}
	wg.Wait()
	var out []string
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		out = append(out, fmt.Sprintf("%d × %d", codes[code], code))
	}
	return fmt.Sprintf("%s; %.0f a second", strings.Join(out, ", "), float64(n)/time.Since(began).Seconds())
}
