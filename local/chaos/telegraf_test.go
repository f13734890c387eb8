package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/testserver"
	"github.com/hearth-home/hearth/shared/testserver/tool"
)

// telegrafField is the name that Telegraf's JSON parser gives to field.
const telegrafField = "fields_" + field

// telegrafConf is tuned for speed: large batches, written every 100 ms.
const telegrafConf = `[agent]
  interval = "1s"
  flush_interval = "100ms"
  flush_jitter = "0s"
  metric_batch_size = 5000
  metric_buffer_limit = 200000
  omit_hostname = true
[[inputs.mqtt_consumer]]
  servers = ["tcp://%s"]
  topics = ["hearth/#"]
  topic_tag = ""
  qos = 1
  persistent_session = true
  client_id = "telegraf"
  max_undelivered_messages = 10000
  name_override = "air"
  data_format = "json"
  tag_keys = ["device"]
  json_time_key = "time"
  json_time_format = "2006-01-02T15:04:05.999999999Z07:00"
[[outputs.influxdb_v2]]
  urls = ["%s"]
  token = "any:one"
  organization = "home"
  bucket = "%s"
  content_encoding = "identity"
`

// telegraf starts Telegraf in place of connector, gateway and function.
func telegraf(b *testing.B, l layout) (h *hearth, t *testserver.Server) {
	b.Helper()
	path := tool.Optional(b, "telegraf", "the throughput of Telegraf, for comparison")
	h = &hearth{t: b, layout: l, dir: b.TempDir()}
	h.influx, h.influxURL, h.bucket = testserver.OwnInflux(b)
	h.broker = testserver.OwnMosquitto(b, 0)
	to := h.influxURL
	if l.sink {
		h.influxProxy = newInfluxProxy(b, "", l.watch)
		to = h.influxProxy.URL
	}
	conf := filepath.Join(h.dir, "telegraf.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, telegrafConf, h.broker.Addr, to, h.bucket), 0o644); err != nil {
		b.Fatal(err)
	}
	t = testserver.Own(b, testserver.Program{Addr: h.broker.Addr, Path: path, Args: []string{"--config", conf}, Dir: h.dir})
	p, probe := h.publisher("probe"), newStream(l.watch, topics)
	until(b, "Telegraf has subscribed", func() bool {
		p.publish(probe, 0, 1, 0)
		if h.influxProxy == nil {
			return h.countPoints(probe.name, telegrafField) > 0
		}
		_, arrived := h.influxProxy.delay(probe, 0, time.Now())
		return arrived
	})
	return h, t
}

func drainTelegraf(b *testing.B) {
	h, peer := telegraf(b, layout{watch: "probe"})
	for i := range b.N {
		if err := peer.Stop(); err != nil {
			b.Fatal(err)
		}
		s := newStream(fmt.Sprintf("drain%d", i), backlogSize)
		h.publisher("edge").publish(s, 0, s.n, 0)
		database := cpu(b, h.influx)
		begin := time.Now()
		if err := peer.Start(); err != nil {
			b.Fatal(err)
		}
		h.await(s.name, telegrafField, s.n)
		b.ReportMetric(float64(s.n)/time.Since(begin).Seconds(), "messages/s")
		b.ReportMetric(cpu(b, peer), "telegraf-cpu-s")
		b.ReportMetric(cpu(b, h.influx)-database, "InfluxDB-cpu-s")
		b.ReportMetric(peak(b, peer), "telegraf-peak-MB")
	}
}

func latencyTelegraf(b *testing.B) {
	h, _ := telegraf(b, layout{watch: "late", sink: true})
	h.latency(b)
}
