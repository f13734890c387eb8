package chaos

import (
	"fmt"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

const (
	backlogSize = 100_000 // messages that wait in the broker
	sampled     = 2000    // messages whose latency is measured
	sampleRate  = 100     // a second
	homeRate    = 20      // messages a second of a home
	homeTime    = 20 * time.Second
)

// BenchmarkDrain measures how fast a backlog is stored: 100,000 messages of 200
// topics, which Mosquitto queued while the connector was stopped. The time runs from
// the connector's start until InfluxDB has stored all of them.
func BenchmarkDrain(b *testing.B) {
	b.Run("hearth", func(b *testing.B) { drain(b, "") })
	b.Run("hearth behind of-watchdog", func(b *testing.B) {
		drain(b, tool.Optional(b, "fwatchdog", "the throughput of a function behind of-watchdog"))
	})
	b.Run("telegraf", drainTelegraf)
}

func drain(b *testing.B, watchdog string) {
	h := newHearth(b, layout{watchdog: watchdog})
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
func (h *hearth) await(stream, key string, n int) {
	h.t.Helper()
	for end := time.Now().Add(patience); h.countPoints(stream, key) < n; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("%d of %d readings are stored after %s", h.countPoints(stream, key), n, patience)
		}
	}
}

// BenchmarkLatency measures the time from publishing a reading to its write request
// at InfluxDB, at 100 messages a second.
func BenchmarkLatency(b *testing.B) {
	b.Run("hearth", func(b *testing.B) {
		h := newHearth(b, layout{watch: "late", sink: true})
		h.latency(b)
	})
	b.Run("telegraf", latencyTelegraf)
}

func (h *hearth) latency(b *testing.B) {
	for range b.N {
		s := newStream("late", topics+sampled)
		sent := make([]time.Time, s.n)
		p := h.publisher("edge")
		p.publish(s, 0, topics, 0)
		until(b, "every device is known", func() bool { _, last := h.influxProxy.delay(s, topics-1, time.Time{}); return last })
		p.each(sampled, sampled*time.Second/sampleRate, func(k int) (string, string) {
			k += topics
			sent[k] = time.Now()
			return s.topic(k), s.payload(k)
		})
		until(b, "all are in a write request", func() bool { _, missing := h.influxProxy.delays(s, sent); return missing == 0 })
		ds, _ := h.influxProxy.delays(s, sent)
		b.ReportMetric(float64(quantile(ds, 0.5).Microseconds())/1e3, "p50-ms")
		b.ReportMetric(float64(quantile(ds, 0.99).Microseconds())/1e3, "p99-ms")
		b.ReportMetric(float64(quantile(ds, 1).Microseconds())/1e3, "most-ms")
	}
}

// BenchmarkDisk measures how much the connector writes to disk at 20 messages a
// second.
func BenchmarkDisk(b *testing.B) {
	for _, sync := range []string{"0s", "1s"} {
		b.Run("SPOOL_SYNC="+sync, func(b *testing.B) {
			h := newHearth(b, layout{env: map[string]string{"SPOOL_SYNC": sync}})
			p := h.publisher("edge")
			for range b.N {
				before, io := h.mustMetrics(), written(b, h.connector)
				p.publish(newStream("disk", int(homeRate*homeTime.Seconds())), 0, int(homeRate*homeTime.Seconds()), homeTime)
				after := h.mustMetrics()
				days := (24 * time.Hour).Seconds() / homeTime.Seconds()
				b.ReportMetric((after["hearth_mqtt_spool_written_bytes_total"]-before["hearth_mqtt_spool_written_bytes_total"])*days/1e6, "written-MB/day")
				b.ReportMetric((written(b, h.connector)-io)*days/1e6, "pages-MB/day")
				b.ReportMetric((after["hearth_mqtt_spool_fsyncs_total"]-before["hearth_mqtt_spool_fsyncs_total"])/homeTime.Seconds(), "fsyncs/s")
			}
		})
	}
}

func (h *hearth) mustMetrics() map[string]float64 {
	h.t.Helper()
	m, err := h.metrics()
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}
