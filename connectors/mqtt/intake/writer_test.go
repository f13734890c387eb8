package intake

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
)

func TestARedeliveryBesideItsFirstIsStoredOnce(t *testing.T) {
	w, l, _ := opened(t, t.TempDir())
	m := message.Message{Topic: "house/x", Payload: []byte("x"), QoS: 1, Packet: 7}
	other := m
	other.Packet = 8
	acks := 0
	ack := func() { acks++ }
	w.write(t.Context(), []incoming{{Message: m, ack: ack}, {Message: other, ack: ack}, {Message: m, dup: true, ack: ack}})
	if n := l.Stats().Appended; n != 2 || acks != 3 {
		t.Errorf("%d stored and %d acknowledged, want 2 and 3", n, acks)
	}
}

// TestARedeliveryIsStoredOnceAndKeepsItsTime: also after a restart.
func TestARedeliveryIsStoredOnceAndKeepsItsTime(t *testing.T) {
	dir := t.TempDir()
	deliver := func(w *writer, packet uint16, dup bool, payload string) {
		t.Helper()
		acked := make(chan bool, 1)
		w.take(incoming{Message: message.Message{Topic: "house/x", Payload: []byte(payload), QoS: 1, Packet: packet}, dup: dup, ack: func() { acked <- true }})
		<-acked
	}
	start := func() (w *writer, stop func()) {
		w, l, _ := opened(t, dir)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan bool)
		go func() { w.run(ctx); close(done) }()
		return w, func() {
			cancel()
			<-done
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	w, stop := start()
	deliver(w, 7, false, "once")
	deliver(w, 7, true, "once")
	stop()
	w, stop = start()
	deliver(w, 7, true, "once")  // the same again, after a restart
	deliver(w, 7, false, "once") // not marked: a message of its own
	deliver(w, 8, true, "other") // marked, and yet never seen
	if n := w.counts.redelivered.Load(); n != 1 {
		t.Errorf("%d recognised after the restart, want 1", n)
	}
	stop()
	_, l, _ := opened(t, dir)
	var got []string
	last := int64(0)
	for _, m := range kept(t, l) {
		got = append(got, string(m.Payload))
		if m.Arrival <= last {
			t.Errorf("%s arrived at %d, not after %d", m.Payload, m.Arrival, last)
		}
		last = m.Arrival
	}
	if s := strings.Join(got, " "); s != "once once other" {
		t.Errorf("stored %s; want once twice and other once", s)
	}
}

// TestWhatNoSpoolTakesIsKeptInPart: it holds up no other, its beginning is handed
// on, and a redelivery is recognised.
func TestWhatNoSpoolTakesIsKeptInPart(t *testing.T) {
	w, l, cut := opened(t, t.TempDir())
	acks := 0
	ack := func() { acks++ }
	huge := message.Message{Topic: "house/camera", Payload: bytes.Repeat([]byte("jpeg"), 17<<18), QoS: 1, Packet: 1}
	w.take(incoming{Message: huge, ack: ack})
	if w.bytes > cutPayload {
		t.Errorf("%d bytes wait, want those that are kept", w.bytes)
	}
	w.take(incoming{Message: message.Message{Topic: "house/x", Payload: []byte("x"), QoS: 1, Packet: 2}, ack: ack})
	w.take(incoming{Message: huge, dup: true, ack: ack})
	w.writeAll(t.Context(), w.grab(nil))
	if acks != 3 || w.counts.tooLarge.Load() != 1 || w.counts.redelivered.Load() != 1 {
		t.Errorf("%d acknowledged, %d too large, %d recognised; want 3, 1 and 1", acks, w.counts.tooLarge.Load(), w.counts.redelivered.Load())
	}
	if n := l.Stats().Appended; n != 1 || len(*cut) != 1 {
		t.Fatalf("%d in the spool and %d handed on, want 1 and 1", n, len(*cut))
	}
	if d := (*cut)[0]; d.Topic != huge.Topic || d.size != len(huge.Payload) || !bytes.Equal(d.Payload, huge.Payload[:cutPayload]) || !strings.Contains(d.reason, "8388608") {
		t.Errorf("handed on %d of %d bytes of %s, %s", len(d.Payload), d.size, d.Topic, d.reason)
	}
}
