package intake

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/connectors/mqtt/mqtttest"
)

func TestARedeliveryInTheSameBatchIsStoredOnce(t *testing.T) {
	w, l, _ := newTestWriter(t, t.TempDir())
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

// TestARedeliveryIsStoredOnceAndKeepsItsTime: before and after a restart.
func TestARedeliveryIsStoredOnceAndKeepsItsTime(t *testing.T) {
	dir := t.TempDir()
	deliver := func(w *writer, packet uint16, dup bool, payload string) {
		t.Helper()
		acked := make(chan bool, 1)
		w.enqueue(incoming{Message: message.Message{Topic: "house/x", Payload: []byte(payload), QoS: 1, Packet: packet}, dup: dup, ack: func() { acked <- true }})
		mqtttest.Next(t, "an acknowledgement", acked)
	}
	start := func() (w *writer, stop func()) {
		w, l, _ := newTestWriter(t, dir)
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
	deliver(w, 7, true, "once")  // a redelivery after a restart
	deliver(w, 7, false, "once") // without DUP: a new message
	deliver(w, 8, true, "other") // with DUP, but the first delivery never arrived
	if n := w.counts.redelivered.Load(); n != 1 {
		t.Errorf("%d recognised after the restart, want 1", n)
	}
	stop()
	_, l, _ := newTestWriter(t, dir)
	var got []string
	last := int64(0)
	for _, m := range messagesIn(t, l) {
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

// TestTheBeginningOfATooLargeMessageIsKept: the message blocks no other, its beginning
// goes to Options.TooLarge, and its redelivery is recognised.
func TestTheBeginningOfATooLargeMessageIsKept(t *testing.T) {
	w, l, cut := newTestWriter(t, t.TempDir())
	acks := 0
	ack := func() { acks++ }
	const size = 17 << 20
	huge := message.Message{Topic: "house/camera", Payload: bytes.Repeat([]byte("jpeg"), 16<<10), QoS: 1, Packet: 1} // as the session cut it
	w.enqueue(incoming{Message: huge, size: size, ack: ack})
	w.enqueue(incoming{Message: message.Message{Topic: "house/x", Payload: []byte("x"), QoS: 1, Packet: 2}, ack: ack})
	w.enqueue(incoming{Message: huge, size: size, dup: true, ack: ack})
	w.writeAll(t.Context(), w.takeAll(nil))
	if acks != 3 || w.counts.tooLarge.Load() != 1 || w.counts.redelivered.Load() != 1 {
		t.Errorf("%d acknowledged, %d too large, %d recognised; want 3, 1 and 1", acks, w.counts.tooLarge.Load(), w.counts.redelivered.Load())
	}
	if n := l.Stats().Appended; n != 1 || len(*cut) != 1 {
		t.Fatalf("%d messages in the spool and %d for TooLarge, want 1 and 1", n, len(*cut))
	}
	if d := (*cut)[0]; d.Topic != huge.Topic || d.size != size || !bytes.Equal(d.Payload, huge.Payload) || !strings.Contains(d.reason, "4194304") {
		t.Errorf("TooLarge got %d of %d bytes of %s, %s", len(d.Payload), d.size, d.Topic, d.reason)
	}
}

// TestAMessageOfWhichNothingCanBeKeptHoldsUpNoOther: it is counted as lost.
func TestAMessageOfWhichNothingCanBeKeptHoldsUpNoOther(t *testing.T) {
	w, l, _ := newTestWriter(t, t.TempDir())
	w.tooLarge = func(*message.Message, int, string) error { return errors.New("the disk is full") }
	acks := 0
	w.enqueue(incoming{Message: message.Message{Topic: "camera", Payload: make([]byte, 1<<10), QoS: 1}, size: 9 << 20, ack: func() { acks++ }})
	w.enqueue(incoming{Message: message.Message{Topic: "behind it", Payload: []byte("x"), QoS: 1}, ack: func() { acks++ }})
	w.writeAll(t.Context(), w.takeAll(nil))
	if n := l.Stats().Appended; n != 1 || acks != 2 || w.counts.lost.Load() != 1 {
		t.Errorf("%d messages in the spool, %d acknowledged, %d lost; want 1, 2 and 1", n, acks, w.counts.lost.Load())
	}
}
