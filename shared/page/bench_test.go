package page

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/rollup"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/browser"
)

const benchDevices = 15

// BenchmarkPage measures the page over a year of readings: the first page of a new process, with
// its size on the wire, a year of history, and tiles.json for 50 viewers.
// HEARTH_BENCH_READINGS is the number of readings: make bench has 3 million.
func BenchmarkPage(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("HEARTH_BENCH_READINGS"))
	if err != nil {
		b.Skip("make bench runs it, with HEARTH_BENCH_READINGS=3000000")
	}
	for name, house := range map[string]func(testing.TB) *pagetest.House{"sqlite": func(t testing.TB) *pagetest.House { return pagetest.New(t, now) }, "influx1": onServers} {
		b.Run(fmt.Sprintf("%s/%dreadings", name, n), func(b *testing.B) {
			h := house(b)
			keys := fillYear(b, h, n)
			b.Run("first", func(b *testing.B) { benchFirst(b, h) })
			b.Run("paint", func(b *testing.B) { benchPaint(b, h) })
			b.Run("year", func(b *testing.B) { benchYear(b, h, keys) })
			b.Run("50viewers", func(b *testing.B) { benchViewers(b, h) })
		})
	}
}

// onServers returns a house on InfluxDB and PostgreSQL.
func onServers(t testing.TB) *pagetest.House {
	_, url, bucket := testserver.OwnInflux(t)
	secrets := secret.InMemory(map[string]string{"database-url": testserver.Postgres(t), "influx-token": "any:any-token"}, nil)
	if err := store.Migrate(t.Context(), secrets.Get("database-url")); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), store.Config{Influx: store.Influx{URL: url, Org: "home", Bucket: bucket, Token: secrets.Get("influx-token")}, Database: secrets.Get("database-url")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return pagetest.Over(t, st, now)
}

// fillYear writes a year of readings of air and power in every room, rolls them up, and returns
// series to plot.
func fillYear(b *testing.B, h *pagetest.House, n int) (keys []string) {
	b.Helper()
	start := time.Now() // clock: how long a benchmark takes
	rooms := []string{"Office", "Kitchen", "Bedroom", "Cellar", "Bath"}
	var tags []map[string]string
	for i := range benchDevices {
		name := fmt.Sprintf("%s %d", rooms[i%len(rooms)], i)
		states := []store.DeviceState{pagetest.State("temperature_celsius", 21), pagetest.State("humidity_percent", 50), pagetest.State("co2_ppm", 700)}
		if i%3 == 2 {
			states = []store.DeviceState{pagetest.State("power_watts", 120)}
		}
		tags = append(tags, map[string]string{"device": h.Device("edge", name, rooms[i%len(rooms)], states...)})
	}
	step := 365 * 24 * time.Hour / time.Duration(max(1, n/benchDevices))
	rs := make([]reading.Reading, 0, 5000)
	for i := range n {
		at, phase := h.Now.Add(-365*24*time.Hour+time.Duration(i/benchDevices)*step), float64(i)/7000
		r := reading.Reading{Name: "air", Tags: tags[i%benchDevices], Time: at, Fields: map[string]float64{
			"temperature_celsius": 20 + math.Round(300*math.Sin(phase))/100, "humidity_percent": 50 + math.Round(10*math.Cos(phase)), "co2_ppm": 700 + math.Round(250*math.Sin(phase*9))}}
		if i%benchDevices%3 == 2 {
			r.Name, r.Fields = "power", map[string]float64{"power_watts": math.Round(120 + 80*math.Sin(phase*5))}
		}
		if rs = append(rs, r); len(rs) == cap(rs) || i == n-1 {
			h.Readings(rs...)
			rs = rs[:0]
		}
	}
	var r rollup.Roller
	for range 2000 {
		ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
		done, err := r.Tick(ctx, h.Store, h.Now)
		cancel()
		h.OK(err)
		if done.Percent() == 100 {
			break
		}
	}
	b.Logf("%d readings written and rolled up in %s", n, time.Since(start).Round(time.Second)) // clock: how long a benchmark takes
	return []string{"air.temperature_celsius,device=" + tags[0]["device"], "power.power_watts,device=" + tags[2]["device"]}
}

// benchFirst measures the first page of a new process, and reports what a browser gets of it.
func benchFirst(b *testing.B, h *pagetest.House) {
	size := 0
	for b.Loop() {
		p := pageOfHouse(h, "")
		document := packedGet(b, p, "/")
		size = len(document)
		for _, address := range regexp.MustCompile(`(?:href|src)="(\?asset=[a-z.0-9-]+&amp;v=[0-9a-f]+)`).FindAllStringSubmatch(unpacked(b, document), -1) {
			size += len(packedGet(b, p, "/"+strings.ReplaceAll(address[1], "&amp;", "&")))
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms")
	b.ReportMetric(float64(size)/1000, "kB")
}

// benchPaint measures, in a browser with an empty cache, the time from the request for the first
// page of a new process until it is painted, with the values of its tiles.
func benchPaint(b *testing.B, h *pagetest.House) {
	var p atomic.Pointer[Page]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.Load().ServeHTTP(w, r) }))
	defer srv.Close()
	p.Store(pageOfHouse(h, ""))
	chromium := browser.Start(b, srv.URL, 1920, 1080)
	chromium.Do("Network.setCacheDisabled", map[string]any{"cacheDisabled": true}, nil)
	var painted float64 // ms
	for b.Loop() {
		p.Store(pageOfHouse(h, ""))
		chromium.Go(srv.URL)
		chromium.Until(`performance.getEntriesByName("first-contentful-paint").length === 1`)
		if values := chromium.Eval(`[...document.querySelectorAll("#tile-rooms, #tile-power")].every((tile) => /\d/.test(tile.textContent)) && document.querySelectorAll("#tile-rooms .spark").length > 0`); values != "true" {
			b.Fatalf("painted without values: %s", chromium.Eval("document.body.innerText"))
		}
		ms, err := strconv.ParseFloat(chromium.Eval(`performance.getEntriesByName("first-contentful-paint")[0].startTime`), 64)
		if err != nil {
			b.Fatal(err)
		}
		painted += ms
	}
	b.ReportMetric(painted/float64(b.N), "paint-ms")
}

func benchYear(b *testing.B, h *pagetest.House, keys []string) {
	for b.Loop() {
		p := pageOfHouse(h, "") // without an answer that it keeps
		packedGet(b, p, "/history.json?span=year&series="+strings.Join(keys, "&series="))
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms")
}

// benchViewers reports the times of answers for 50 viewers, each of which asks once a second.
func benchViewers(b *testing.B, h *pagetest.House) {
	srv := httptest.NewServer(pageOfHouse(h, ""))
	defer srv.Close()
	var mu sync.Mutex
	var times []time.Duration
	for b.Loop() {
		var viewers sync.WaitGroup
		for i := range 50 {
			viewers.Go(func() {
				time.Sleep(time.Duration(i) * 20 * time.Millisecond)
				tag := ""
				for range 10 {
					start := time.Now() // clock: how long an answer takes
					tag = ask(b, srv, tag)
					took := time.Since(start) // clock: how long an answer takes
					mu.Lock()
					times = append(times, took)
					mu.Unlock()
					time.Sleep(time.Second - took)
				}
			})
		}
		viewers.Wait()
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)*95/100].Microseconds())/1000, "p95-ms")
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "median-ms")
}

func ask(b *testing.B, srv *httptest.Server, tag string) string {
	req, err := http.NewRequestWithContext(b.Context(), "GET", srv.URL+"/tiles.json", nil)
	if err != nil {
		b.Error(err)
		return tag
	}
	req.Header.Set("If-None-Match", tag)
	res, err := srv.Client().Do(req)
	if err != nil {
		b.Error(err)
		return tag
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	return res.Header.Get("ETag")
}

// packedGet returns a body as it is on the wire.
func packedGet(b *testing.B, p *Page, path string) []byte {
	b.Helper()
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		b.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.Bytes()
}

func unpacked(b *testing.B, packed []byte) string {
	b.Helper()
	z, err := gzip.NewReader(strings.NewReader(string(packed)))
	if err != nil {
		b.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		b.Fatal(err)
	}
	return string(plain)
}
