package chaos

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/testserver"
)

const (
	backlogSize = 100_000 // messages that wait in the broker
	sampled     = 2000    // messages whose latency is measured
	sampleRate  = 100     // a second
	houseRate   = 20      // messages a second of a house
	houseTime   = 20 * time.Second
)

// BenchmarkDrain: 100,000 messages of 200 topics have waited in Mosquitto while
// the connector was away. From its start until InfluxDB has all.
func BenchmarkDrain(b *testing.B) {
	b.Run("hearth", func(b *testing.B) { drain(b, "") })
	b.Run("hearth behind of-watchdog", func(b *testing.B) {
		watchdog, err := exec.LookPath("fwatchdog")
		if err != nil {
			b.Skip("fwatchdog is not on the PATH")
		}
		drain(b, watchdog)
	})
	b.Run("telegraf", drainTelegraf)
}

func drain(b *testing.B, watchdog string) {
	h := newHouse(b, layout{watchdog: watchdog})
	for i := range b.N {
		if err := h.connector.Stop(); err != nil {
			b.Fatal(err)
		}
		s := newStream(fmt.Sprintf("drain%d", i), backlogSize)
		h.publisher("edge").publish(s, 0, s.n, 0)
		parts := map[string]*testserver.Server{"function": h.function, "gateway": h.gateway, "InfluxDB": h.influx, "PostgreSQL": h.postgres, "broker": h.broker}
		before := map[string]float64{}
		for name, p := range parts {
			before[name] = cpu(b, p)
		}
		begin := time.Now()
		if err := h.connector.Start(); err != nil {
			b.Fatal(err)
		}
		h.await(s.name, field, s.n)
		b.ReportMetric(float64(s.n)/time.Since(begin).Seconds(), "messages/s")
		b.ReportMetric(cpu(b, h.connector), "connector-cpu-s")
		for name, p := range parts {
			b.ReportMetric(cpu(b, p)-before[name], name+"-cpu-s")
		}
		b.ReportMetric(peak(b, h.connector), "connector-peak-MB")
		b.ReportMetric(peak(b, h.function), "function-peak-MB")
	}
}

// await waits until InfluxDB has n points of a stream, ten times a second.
func (h *house) await(stream, key string, n int) {
	h.t.Helper()
	for end := time.Now().Add(patience); h.keeps(stream, key) < n; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("%d of %d readings are stored after %s", h.keeps(stream, key), n, patience)
		}
	}
}

// BenchmarkLatency: from publishing to the write request, at 100 messages a
// second.
func BenchmarkLatency(b *testing.B) {
	b.Run("hearth", func(b *testing.B) {
		h := newHouse(b, layout{watch: "late", sink: true})
		h.latency(b)
	})
	b.Run("telegraf", latencyTelegraf)
}

func (h *house) latency(b *testing.B) {
	for range b.N {
		s := newStream("late", topics+sampled)
		sent := make([]time.Time, s.n)
		p := h.publisher("edge")
		p.publish(s, 0, topics, 0)
		until(b, "every device is known", func() bool { _, last := h.front.delay(s, topics-1, time.Time{}); return last })
		p.each(sampled, sampled*time.Second/sampleRate, func(k int) (string, string) {
			k += topics
			sent[k] = time.Now()
			return s.topic(k), s.payload(k)
		})
		until(b, "all are in a write request", func() bool { _, missing := h.front.delays(s, sent); return missing == 0 })
		ds, _ := h.front.delays(s, sent)
		b.ReportMetric(float64(quantile(ds, 0.5).Microseconds())/1e3, "p50-ms")
		b.ReportMetric(float64(quantile(ds, 0.99).Microseconds())/1e3, "p99-ms")
		b.ReportMetric(float64(quantile(ds, 1).Microseconds())/1e3, "most-ms")
	}
}

// BenchmarkDisk: what the connector writes at 20 messages a second.
func BenchmarkDisk(b *testing.B) {
	for _, sync := range []string{"0s", "1s"} {
		b.Run("SPOOL_SYNC="+sync, func(b *testing.B) {
			h := newHouse(b, layout{env: map[string]string{"SPOOL_SYNC": sync}})
			p := h.publisher("edge")
			for range b.N {
				before, io := h.must(), written(b, h.connector)
				p.publish(newStream("disk", int(houseRate*houseTime.Seconds())), 0, int(houseRate*houseTime.Seconds()), houseTime)
				after := h.must()
				days := (24 * time.Hour).Seconds() / houseTime.Seconds()
				b.ReportMetric((after["hearth_mqtt_spool_written_bytes_total"]-before["hearth_mqtt_spool_written_bytes_total"])*days/1e6, "written-MB/day")
				b.ReportMetric((written(b, h.connector)-io)*days/1e6, "pages-MB/day")
				b.ReportMetric((after["hearth_mqtt_spool_fsyncs_total"]-before["hearth_mqtt_spool_fsyncs_total"])/houseTime.Seconds(), "fsyncs/s")
			}
		})
	}
}

func (h *house) must() map[string]float64 {
	h.t.Helper()
	m, err := h.metrics()
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}
