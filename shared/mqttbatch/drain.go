package mqttbatch

import (
	"context"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/notify"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	drainTime  = 2 * time.Second // for sending messages, at a time
	drainEvery = time.Minute     // without new messages: older ones may wait for another try
)

// drain sends the messages of the outbox beside the answers, so that the connector waits
// for no other server. One goroutine at a time does so.
type drain struct {
	env    serve.Env
	sender *notify.Sender

	mu      sync.Mutex
	queued  int64     // messages that the store had queued when they were last sent
	last    time.Time // when that was
	running bool
}

// look starts to send messages if new ones are queued, or once a minute.
func (d *drain) look(st *store.Store, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	since := now.Sub(d.last)
	if d.running || st.Queued() == d.queued && since >= 0 && since < drainEvery {
		return
	}
	d.running = true
	d.env.Beside.Go(func() { d.send(st) })
}

// send sends messages until none is left that can be sent now. After each drainTime another
// sender may go on.
func (d *drain) send(st *store.Store) {
	for more := true; more; {
		d.mu.Lock()
		queued := st.Queued()
		d.queued, d.last = queued, d.env.Now()
		d.mu.Unlock()
		left := d.sender.Drain(context.Background(), st, drainTime, d.env.Now, d.env.Log)
		d.mu.Lock()
		more = (left || st.Queued() != queued) && !d.env.Beside.Stopped()
		d.running = more
		d.mu.Unlock()
	}
}
