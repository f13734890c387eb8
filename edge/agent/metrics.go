package agent

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/shared/mqttclient"
	"github.com/hearth-home/hearth/shared/spool"
)

// reporter serves the state of monitor and sensors as metrics and health.
type reporter struct {
	boot       string
	sync       time.Duration // SPOOL_SYNC
	sensors    []*sensor
	timekeeper *timekeeper
	monitor    *monitor
	broker     *mqttclient.Reporter
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("hearth_edge_"+name, help, labels, nil)
}

var (
	descUp          = desc("sensor_up", "1 if the last sample succeeded", "device", "sensor")
	descReadings    = desc("readings_total", "readings taken", "device", "sensor", "quality")
	descErrors      = desc("sensor_errors_total", "samples that failed", "device", "sensor")
	descReopened    = desc("sensor_reopened_total", "times the port was closed to be reopened", "device", "sensor")
	descTook        = desc("sensor_read_seconds", "how long the last sample took", "device", "sensor")
	descBusy        = desc("sensor_busy_seconds", "how long the current sample has taken so far, 0 if there is none", "device", "sensor")
	descBad         = desc("sensor_bad_frames_total", "frames with a wrong checksum since the port was opened", "device", "sensor")
	descSkipped     = desc("sensor_skipped_bytes_total", "bytes that belonged to no frame since the port was opened", "device", "sensor")
	descRetries     = desc("sensor_retries_total", "commands repeated since the port was opened", "device", "sensor")
	descConnected   = desc("connected", "1 while the broker is connected")
	descProblem     = desc("broker_problem", "1 while the broker cannot be used for this reason", "problem")
	descClock       = desc("clock_synchronised", "1 once the clock is set")
	descGaveUp      = desc("clock_given_up", "1 if readings are published without a time")
	descNumbered    = desc("numbered_total", "readings numbered since the start")
	descSent        = desc("published_total", "readings published, repetitions included")
	descResent      = desc("resent_total", "readings published again because they were not stored")
	descConfirmed   = desc("confirmed_total", "readings known to be stored")
	descUnconfirmed = desc("unconfirmed_total", "readings that the broker acknowledged but that were not known to be stored in time")
	descWindow      = desc("window_readings", "readings in memory that are to be published or not known to be stored")
	descWindowBytes = desc("window_bytes", "approximate memory of the live readings in the window")
	descPending     = desc("pending_readings", "readings in memory because the disk takes none")
	descDisk        = desc("disk_ok", "1 while the disk takes readings")
	descLost        = desc("lost_total", "readings lost: neither disk nor memory had room, or they were damaged on disk")
	descSpool       = desc("spool_readings", "readings on disk that are not yet delivered")
	descSpoolBytes  = desc("spool_bytes", "size of the spool")
	descSpoolAge    = desc("spool_age_seconds", "age of the oldest reading on disk that is not yet delivered")
	descDropped     = desc("spool_dropped_total", "readings dropped at the spool's cap, over the spool's life")
	descTorn        = desc("spool_torn_total", "torn ends of the spool cut off at the start")
	descWritten     = desc("written_bytes_total", "bytes written to disk since the start")
	descSyncs       = desc("fsyncs_total", "fsyncs since the start")
	descPerDay      = desc("written_bytes_per_day", "bytes written to disk a day, on average since the start")
	descAtRisk      = desc("power_cut_loss_seconds", "a power cut loses at most the readings of this time from the spool")
)

// Describe implements prometheus.Collector.
func (r *reporter) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(r, ch) }

// Collect implements prometheus.Collector.
func (r *reporter) Collect(ch chan<- prometheus.Metric) {
	m := meter{ch}
	v := r.monitor.snapshot()
	m.gauge(descConnected, gaugeOf(v.connected))
	if p := r.broker.Problem(); p.Kind != "" {
		m.gauge(descProblem, 1, string(p.Kind))
	}
	m.gauge(descClock, gaugeOf(r.timekeeper.isSet()))
	m.gauge(descGaveUp, gaugeOf(v.gaveUp))
	m.count(descNumbered, float64(v.numbered))
	m.count(descSent, float64(v.window.Sent))
	m.count(descResent, float64(v.window.Resent))
	m.count(descConfirmed, float64(v.window.Confirmed))
	m.count(descUnconfirmed, float64(v.window.Unconfirmed))
	m.gauge(descWindow, float64(v.live+v.backlog))
	m.gauge(descWindowBytes, float64(v.bytes))
	m.gauge(descPending, float64(v.pending))
	m.gauge(descDisk, gaugeOf(v.disk))
	m.count(descLost, float64(r.monitor.lost.Load()+v.window.Dropped))
	bytes, syncs := r.monitor.written()
	m.count(descWritten, float64(bytes))
	m.count(descSyncs, float64(syncs))
	m.gauge(descPerDay, float64(bytes)*float64(24*time.Hour)/float64(r.monitor.up.now()))
	m.gauge(descAtRisk, r.sync.Seconds())
	if l, reader := r.monitor.disk(); l != nil && reader != nil {
		collectSpool(m, l.Stats(), reader.Lag())
	}
	for _, s := range r.sensors {
		s.collect(m)
	}
}

func collectSpool(m meter, s spool.Stats, lag spool.Lag) {
	m.gauge(descSpool, float64(lag.Records))
	m.gauge(descSpoolBytes, float64(s.Bytes))
	m.count(descDropped, float64(lag.Lost))
	m.count(descTorn, float64(s.Torn))
	age := 0.0
	if !lag.Oldest.IsZero() {
		age = max(time.Since(lag.Oldest).Seconds(), 0)
	}
	m.gauge(descSpoolAge, age)
}

func (s *sensor) collect(m meter) {
	s.mu.Lock()
	st := s.stats
	readings := maps.Clone(st.readings)
	s.mu.Unlock()
	labels := []string{s.config.Device, s.config.Kind.Name}
	m.gauge(descUp, gaugeOf(st.up), labels...)
	for _, q := range []driver.Quality{driver.OK, driver.WarmingUp, driver.Suspect} {
		m.count(descReadings, float64(readings[q]), append(slices.Clone(labels), string(q))...)
	}
	m.count(descErrors, float64(st.errors), labels...)
	m.count(descReopened, float64(st.reopened), labels...)
	m.gauge(descTook, st.took.Seconds(), labels...)
	m.gauge(descBusy, busy(st), labels...)
	m.count(descBad, float64(st.counts.BadFrames), labels...)
	m.count(descSkipped, float64(st.counts.Skipped), labels...)
	m.count(descRetries, float64(st.counts.Retries), labels...)
}

func busy(st sensorStats) float64 {
	if st.since.IsZero() {
		return 0
	}
	return time.Since(st.since).Seconds()
}

type meter struct{ ch chan<- prometheus.Metric }

func (m meter) count(d *prometheus.Desc, v float64, labels ...string) {
	m.ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}

func (m meter) gauge(d *prometheus.Desc, v float64, labels ...string) {
	m.ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func gaugeOf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
