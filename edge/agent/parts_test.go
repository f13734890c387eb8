package agent

import (
	"context"
	"encoding/json"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/scd4x"
	"github.com/hearth-home/hearth/edge/window"
	"github.com/hearth-home/hearth/shared/wire"
)

func sampleOf(q driver.Quality, fields map[string]float64) driver.Sample {
	s := driver.New()
	s.Fields = fields
	if q != driver.OK {
		s.Flag(q, "a reason")
	}
	return s
}

func TestCombine(t *testing.T) {
	watts := func(w, kwh, on float64) driver.Sample {
		return sampleOf(driver.OK, map[string]float64{"power_watts": w, "energy_kwh": kwh, "on": on})
	}
	got := combine("mean", []driver.Sample{watts(10, 1, 0), watts(20, 2, 1), watts(60, 3, 1)})
	if got.Fields["power_watts"] != 30 || got.Fields["energy_kwh"] != 3 || got.Fields["on"] != 1 {
		t.Errorf("mean gave %v", got.Fields)
	}
	co2 := func(q driver.Quality, v float64) driver.Sample { return sampleOf(q, map[string]float64{"co2_ppm": v}) }
	got = combine("median", []driver.Sample{co2(driver.OK, 500), co2(driver.Suspect, 5000), co2(driver.OK, 520), co2(driver.OK, 900)})
	if got.Fields["co2_ppm"] != 520 || got.Quality != driver.OK || got.Reason != "" {
		t.Errorf("median gave %+v", got)
	}
	got = combine("median", []driver.Sample{co2(driver.Suspect, 5000), co2(driver.WarmingUp, 410), co2(driver.WarmingUp, 420)})
	if got.Fields["co2_ppm"] != 415 || got.Quality != driver.WarmingUp || got.Reason != "a reason" {
		t.Errorf("without an ok sample, combine gave %+v", got)
	}
}

func TestNumbersThatJSONCannotHoldAreRemoved(t *testing.T) {
	s := sampleOf(driver.OK, map[string]float64{"power_watts": math.NaN(), "on": 1, "energy_kwh": math.Inf(1)})
	dropNonFinite(&s)
	if len(s.Fields) != 1 || s.Quality != driver.Suspect {
		t.Errorf("got %+v", s)
	}
	if _, err := (&record{Reading: wire.Reading{Fields: s.Fields}}).payload(); err != nil {
		t.Error(err)
	}
}

// fixedReader is a sensor whose samples are all the same.
type fixedReader driver.Sample

func (s fixedReader) Read(context.Context) (driver.Sample, error) { return driver.Sample(s), nil }

func TestASampleWithoutANumberIsAFailure(t *testing.T) {
	for _, sample := range []driver.Sample{driver.New(), sampleOf(driver.OK, map[string]float64{"co2_ppm": math.NaN()})} {
		s := sensor{config: driver.Sensor{Kind: scd4x.Kind, Deadline: time.Minute}, open: driver.Open{Reader: fixedReader(sample)}, isOpen: true}
		if got, err := s.takeSample(t.Context()); err == nil {
			t.Errorf("%+v became the reading %+v", sample, got)
		}
	}
}

func TestTheMessageFollowsTheContract(t *testing.T) {
	r := &record{Node: "pi", Held: &monotonic{"k", 1}, Reading: wire.Reading{
		Device: "office-air", Sensor: "sds011", Measurement: "air", Time: "2026-11-23T14:05:06.123Z", Boot: "9f3c2a1b", Seq: 1234,
		Fields: map[string]float64{"pm2_5_ugm3": 6.4, "pm10_ugm3": 6.9}, Quality: "ok",
	}}
	b, err := r.payload()
	const want = `{"device":"office-air","sensor":"sds011","measurement":"air","time":"2026-11-23T14:05:06.123Z","boot":"9f3c2a1b","seq":1234,"fields":{"pm10_ugm3":6.9,"pm2_5_ugm3":6.4},"quality":"ok"}`
	if err != nil || string(b) != want {
		t.Errorf("got  %s, %v\nwant %s", b, err, want)
	}
	if r.topic() != "hearth/pi/office-air" {
		t.Error(r.topic())
	}
	kept, err := r.encode()
	if err != nil {
		t.Fatal(err)
	}
	if back, err := decodeRecord(kept); err != nil || *back.Held != *r.Held || back.Node != "pi" || back.Seq != 1234 {
		t.Errorf("kept as %s, read as %+v, %v", kept, back, err)
	}
}

func TestAReadingOfAnOlderAgentsSpoolIsUnchanged(t *testing.T) {
	r, err := decodeRecord([]byte(`{"device":"air","sensor":"sds011","time":"2026-11-23T14:05:06.123Z","boot":"9f3c2a1b","seq":7,"fields":{"pm10_ugm3":6.9},"quality":"ok","node":"pi"}`))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"device":"air","sensor":"sds011","time":"2026-11-23T14:05:06.123Z","boot":"9f3c2a1b","seq":7,"fields":{"pm10_ugm3":6.9},"quality":"ok"}`
	if b, err := r.payload(); err != nil || string(b) != want {
		t.Errorf("got  %s, %v\nwant %s", b, err, want)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add([]byte(`{"device":"a","boot":"b","seq":1,"node":"n","held":{"kernel":"k","mono":5}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decodeRecord(data)
		if err != nil {
			return
		}
		if _, err := r.payload(); err != nil {
			t.Errorf("%q was decoded but cannot be published: %v", data, err)
		}
	})
}

func TestSystemdIsNotifiedOfStartWatchdogAndStop(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "300000")
	b := startBroker(t)
	a := runAgent(t, with(sensors(1, time.Second), map[string]string{"MQTT_URL": "tcp://" + b.addr}), Deps{})
	receive := func() string {
		l.SetReadDeadline(time.Now().Add(10 * time.Second))
		buf := make([]byte, 256)
		n, err := l.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		return string(buf[:n])
	}
	for i, want := range []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1"} {
		if got := receive(); got != want {
			t.Errorf("message %d is %s, want %s", i, got, want)
		}
	}
	go a.stop()
	for got := receive(); got != "STOPPING=1"; got = receive() {
		if got != "WATCHDOG=1" {
			t.Fatalf("got %s", got)
		}
	}
}

func TestMetricsAndHealth(t *testing.T) {
	b := startBroker(t)
	s := startStore(t, b.direct, true)
	a := runAgent(t, with(sensors(2, 20*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr}), Deps{})
	waitFor(t, "readings", func() bool {
		return s.count() > 20 && a.delivery.monitor.snapshot().connected && a.delivery.monitor.snapshot().window.Confirmed > 0
	})
	h := a.handler()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for name, positive := range map[string]bool{
		"hearth_edge_connected": true, "hearth_edge_published_total": true, "hearth_edge_confirmed_total": true,
		"hearth_edge_lost_total": false, "hearth_edge_spool_readings": false, "hearth_edge_clock_synchronised": true,
		`hearth_edge_sensor_up{device="host-1",sensor="host"}`: true, "hearth_edge_written_bytes_per_day": true,
	} {
		m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(w.Body.String())
		if m == nil {
			t.Errorf("no %s in\n%s", name, w.Body)
			continue
		}
		if v, err := strconv.ParseFloat(m[1], 64); err != nil || (v > 0) != positive {
			t.Errorf("%s is %s", name, m[1])
		}
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
	var health struct {
		Status    string
		Connected bool
		Failing   []string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &health); err != nil || w.Code != http.StatusOK || health.Status != "ok" || !health.Connected || len(health.Failing) != 0 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestEveryRunHasItsOwnBoot(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		a := newAgent(t, sensors(1, time.Second), Deps{})
		if seen[a.boot] || len(a.boot) != 8 || strings.ToLower(a.boot) != a.boot {
			t.Fatalf("boot %q is no new name of 8 hex digits", a.boot)
		}
		seen[a.boot] = true
	}
}

func TestTheAgentStopsQuicklyWithoutABroker(t *testing.T) {
	b := startBroker(t)
	b.stop()
	a := newAgent(t, with(sensors(1, 10*time.Millisecond), map[string]string{"MQTT_URL": "tcp://" + b.addr}), Deps{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	waitFor(t, "reading", func() bool { return a.delivery.monitor.snapshot().numbered > 5 })
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(sensorStopWait):
		t.Error("the agent does not stop")
	}
	again := runAgent(t, with(sensors(1, time.Hour), map[string]string{"MQTT_URL": "tcp://" + b.addr, "SPOOL_DIR": a.cfg.Dir}), Deps{})
	waitFor(t, "readings of the first run on disk", func() bool { return again.backlog() == a.delivery.numbers.seq })
}

// FuzzStored checks that no stored message removes a reading that was never sent.
func FuzzStored(f *testing.F) {
	f.Add([]byte(`{"boot":"a","seq":1}`))
	f.Add([]byte(`{"boot":"a","seq":18446744073709551615}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		w := window.New[int](window.Limits{Keep: time.Minute, Bytes: 100, Resend: time.Second})
		w.Add(window.Key{Boot: "a", Seq: 1}, 1, 1)
		if p, ok := parseStored(payload); ok {
			w.Stored(p.Boot, p.Seq, 1)
			w.Tick(2)
		}
		if live, _, _ := w.Len(); live != 1 {
			t.Errorf("%q removed a reading that was never sent", payload)
		}
	})
}

// FuzzFile checks that no file crashes the parser, and that it returns valid names only.
func FuzzFile(f *testing.F) {
	f.Add("export NODE=pi # here\nSENSOR_0_PORT='/dev/x y'\n\nbad line")
	f.Fuzz(func(t *testing.T, text string) {
		vars, err := parseFile(text)
		for name := range vars {
			if err == nil && (name == "" || strings.ContainsAny(name, " \t\"'=\n")) {
				t.Errorf("%q became a name, in the file %q", name, text)
			}
		}
	})
}
