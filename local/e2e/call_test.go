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
	callTime = 8 * time.Minute // for all calls together, on a busy machine
)

var client = &http.Client{Timeout: 30 * time.Second}

// messages are the MQTT messages for the functions behind the MQTT connector: a topic,
// and a payload with verbs for a time and a number.
var messages = map[string]struct{ topic, payload string }{
	"sensors": {"hearth/cellar/office-air", `{"device":"office-air","sensor":"sds011","time":"%s","boot":"e2e","seq":%d,"fields":{"pm2_5_ugm3":6.4},"quality":"ok"}`},
	"zigbee":  {"zigbee2mqtt/bridge/state", `{"state":"online","at":"%s","n":%d}`},
}

var numbers atomic.Int64 // the last message's number

// request returns a call as f's connector makes it, or as a browser does of a function that
// nothing else calls. With dry it is a person's dry run, for functions that take no messages.
func request(t *testing.T, f stack.Function, url string, dry bool) *http.Request {
	t.Helper()
	body, method := "", http.MethodPost
	if annotations(f)["topic"] == "" {
		method = http.MethodGet
	}
	n, now := numbers.Add(1), time.Now().UTC().Format(time.RFC3339Nano)
	m, ok := messages[f.Name]
	if ok {
		body = fmt.Sprintf(m.payload, now, n)
	} else if dry {
		url += "/?dry_run=true"
	} else if method == http.MethodGet {
		url += "/outbox" // read from the database at each call
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return nil
	}
	if method == http.MethodGet {
		r.Header.Set("Authorization", "Bearer "+planted("page-token"))
	}
	if ok {
		r.Header.Set("X-Topic", m.topic)
		r.Header.Set("X-Mqtt-Id", strconv.FormatInt(n, 10))
		r.Header.Set("X-Mqtt-Time", now)
		r.Header.Set("X-Mqtt-Retained", "false")
	}
	return r
}

// call returns the answer. Without an answer, code is 0 and body is the error.
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

// served reports whether the function handled a call. 429 counts too: after many calls
// the quota of its upstream is used up.
func served(code int) bool { return code == http.StatusOK || code == http.StatusTooManyRequests }

// callManyTimes calls f n times, from several goroutines. It returns how often each
// status code came, and the rate.
func callManyTimes(t *testing.T, f stack.Function, url string, n int32) string {
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
