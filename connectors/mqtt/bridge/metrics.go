package bridge

import (
	"github.com/prometheus/client_golang/prometheus"
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("hearth_mqtt_"+name, help, labels, nil)
}

var (
	descConnected   = desc("connected", "1 while the broker is connected")
	descProblem     = desc("broker_problem", "1 while the broker cannot be used for this reason", "problem")
	descTaken       = desc("messages_taken_total", "messages acknowledged to the broker")
	descRedelivered = desc("messages_redelivered_total", "redeliveries recognised and not stored again")
	descRefused     = desc("messages_refused_total", "messages that had to wait because the spool could not take them")
	descTooLarge    = desc("messages_too_large_total", "messages too large for the spool; their beginnings are dead letters")
	descTooLost     = desc("messages_too_large_lost_total", "messages too large for the spool of which not even the beginning could be kept")
	descReplies     = desc("replies_lost_total", "answers of functions with mqtt-reply that could not be published")
	descDropped     = desc("broker_dropped", "the broker's own count of messages that it dropped; -1: it reports none")
	descSpoolBytes  = desc("spool_bytes", "size of the spool")
	descSpoolDrop   = desc("spool_dropped_total", "records dropped at the spool's cap")
	descSpoolTorn   = desc("spool_torn_total", "torn tails of the spool cut at the start")
	descFsyncs      = desc("spool_fsyncs_total", "fsyncs of the spool")
	descWritten     = desc("spool_written_bytes_total", "bytes the spool wrote to disk")
	descDead        = desc("dead_letters", "dead letters kept")
	descDeadBytes   = desc("dead_letters_bytes", "approximate size of the dead letters' files")
	descDeadDropped = desc("dead_letters_dropped_total", "dead letters dropped at their caps or for the spool's room")
	descUnkept      = desc("dead_letters_unwritten_total", "how often a dead letter could not be written; its message stays in the spool")
	descCanary      = desc("canary_stored_timestamp_seconds", "when the last canary was stored")
	descCanaryTook  = desc("canary_latency_seconds", "latency of the last canary, from its arrival from the broker to the function's answer")
	descLag         = desc("backlog_messages", "messages not yet delivered to a function", "function")
	descAge         = desc("backlog_age_seconds", "age of the oldest message not yet delivered to a function", "function")
	descLost        = desc("lost_total", "messages dropped or evicted before they were delivered to a function", "function")
	descStored      = desc("stored_total", "messages that a function has stored", "function")
	descDeadTotal   = desc("dead_total", "messages that became dead letters", "function")
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
	if b.intake.Connected() {
		up = 1
	}
	gauge(descConnected, up)
	if p := b.Problem(); p.Kind != "" {
		gauge(descProblem, 1, string(p.Kind))
	}
	in := b.intake.Stats()
	count(descTaken, float64(in.Taken))
	count(descRedelivered, float64(in.Redelivered))
	count(descRefused, float64(in.Refused))
	count(descTooLarge, float64(in.TooLarge))
	count(descTooLost, float64(in.Lost))
	gauge(descDropped, float64(in.Dropped))
	s := b.spool.Stats()
	gauge(descSpoolBytes, float64(s.Bytes))
	count(descSpoolDrop, float64(s.Dropped))
	count(descSpoolTorn, float64(s.Torn))
	count(descFsyncs, float64(s.Fsyncs))
	count(descWritten, float64(s.Written))
	dead := b.letters.Stats()
	gauge(descDead, float64(dead.Letters))
	gauge(descDeadBytes, float64(dead.Bytes))
	count(descDeadDropped, float64(dead.Dropped))
	count(descUnkept, float64(dead.Unkept))
	b.collectDeliveries(count, gauge)
}

func (b *Bridge) collectDeliveries(count, gauge func(d *prometheus.Desc, v float64, labels ...string)) {
	s := b.deliver.Stats()
	count(descReplies, float64(s.RepliesLost))
	canary := 0.0
	if !s.CanaryStored.IsZero() {
		canary = float64(s.CanaryStored.UnixNano()) / 1e9
	}
	gauge(descCanary, canary)
	gauge(descCanaryTook, s.CanaryTook.Seconds())
	for _, f := range s.Functions {
		age := 0.0
		if !f.Oldest.IsZero() {
			age = b.now().Sub(f.Oldest).Seconds()
		}
		gauge(descLag, float64(f.Backlog), f.Name)
		gauge(descAge, age, f.Name)
		count(descLost, float64(f.Lost), f.Name)
		count(descStored, float64(f.Stored), f.Name)
		count(descDeadTotal, float64(f.Dead), f.Name)
		count(descCalls, float64(f.Calls), f.Name)
		count(descFails, float64(f.Failed), f.Name)
	}
	for name, n := range s.Evicted {
		count(descLost, float64(n), name)
	}
}
