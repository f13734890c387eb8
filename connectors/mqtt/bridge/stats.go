package bridge

import (
	"maps"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// stats counts what is nobody else's to count.
type stats struct {
	taken, redelivered, refused, tooLarge, repliesLost atomic.Uint64
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("hearth_mqtt_"+name, help, labels, nil)
}

var (
	descConnected   = desc("connected", "1 while the broker is connected")
	descTaken       = desc("messages_taken_total", "messages acknowledged to the broker")
	descRedelivered = desc("messages_redelivered_total", "redeliveries recognised and not stored again")
	descRefused     = desc("messages_refused_total", "messages left to the broker since the spool could not take them")
	descTooLarge    = desc("messages_too_large_total", "messages larger than the spool takes: dead letters of their beginning")
	descReplies     = desc("replies_lost_total", "answers that could not be published")
	descDropped     = desc("broker_dropped", "messages the broker says it dropped; -1 where it does not say")
	descSpoolBytes  = desc("spool_bytes", "size of the spool")
	descSpoolDrop   = desc("spool_dropped_total", "records dropped at the spool's cap")
	descSpoolTorn   = desc("spool_torn_total", "torn ends cut at start")
	descFsyncs      = desc("spool_fsyncs_total", "fsyncs of the spool")
	descWritten     = desc("spool_written_bytes_total", "bytes the spool wrote to disk")
	descDead        = desc("dead_letters", "dead letters kept")
	descDeadDropped = desc("dead_letters_dropped_total", "dead letters dropped at their cap")
	descCanary      = desc("canary_stored_timestamp_seconds", "when the last canary was stored")
	descCanaryTook  = desc("canary_latency_seconds", "of the last canary, from its arrival to the store's answer")
	descLag         = desc("backlog_messages", "messages that wait for a function", "function")
	descAge         = desc("backlog_age_seconds", "age of the oldest message that waits for a function", "function")
	descLost        = desc("lost_total", "messages dropped before a function had them", "function")
	descStored      = desc("stored_total", "messages a function stored", "function")
	descBuried      = desc("dead_total", "messages that became dead letters", "function")
	descCalls       = desc("calls_total", "calls of a function", "function")
	descFails       = desc("calls_failed_total", "calls of a function that failed", "function")
)

// Describe implements prometheus.Collector.
func (b *Bridge) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(b, ch) }

// Collect implements prometheus.Collector.
func (b *Bridge) Collect(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	up := 0.0
	if b.broker.up.Load() {
		up = 1
	}
	gauge(descConnected, up)
	count(descTaken, float64(b.stats.taken.Load()))
	count(descRedelivered, float64(b.stats.redelivered.Load()))
	count(descRefused, float64(b.stats.refused.Load()))
	count(descTooLarge, float64(b.stats.tooLarge.Load()))
	count(descReplies, float64(b.stats.repliesLost.Load()))
	gauge(descDropped, float64(b.broker.dropped.Load()))
	s := b.spool.Stats()
	gauge(descSpoolBytes, float64(s.Bytes))
	count(descSpoolDrop, float64(s.Dropped))
	count(descSpoolTorn, float64(s.Torn))
	count(descFsyncs, float64(s.Fsyncs))
	count(descWritten, float64(s.Written))
	letters, dropped := b.dead.counts()
	gauge(descDead, float64(letters))
	count(descDeadDropped, float64(dropped))
	gauge(descCanary, float64(b.canary.stored.Load())/1e9)
	gauge(descCanaryTook, time.Duration(b.canary.took.Load()).Seconds())
	gaveUp := b.gaveUp()
	for _, c := range b.all() {
		records, oldest, lost := c.lag()
		age := 0.0
		if !oldest.IsZero() {
			age = b.now().Sub(oldest).Seconds()
		}
		gauge(descLag, float64(records), c.f.Name)
		gauge(descAge, age, c.f.Name)
		count(descLost, float64(lost+gaveUp[c.f.Name]), c.f.Name)
		delete(gaveUp, c.f.Name)
		count(descStored, float64(c.stored.Load()), c.f.Name)
		count(descBuried, float64(c.dead.Load()), c.f.Name)
		count(descCalls, float64(c.calls.Load()), c.f.Name)
		count(descFails, float64(c.fails.Load()), c.f.Name)
	}
	for name, n := range gaveUp { // functions that are gone
		count(descLost, float64(n), name)
	}
}

func (b *Bridge) gaveUp() map[string]uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.lost)
}

func (b *Bridge) all() (cs []*consumer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.consumers {
		cs = append(cs, r.consumer)
	}
	return cs
}
