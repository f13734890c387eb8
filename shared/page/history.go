package page

import (
	"context"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	stride    = day / steps      // of a device's line
	again     = 15 * time.Second // after it was read: a line need not be of this second
	wholly    = 10 * time.Minute // what came late is found when all of it is read again,
	share     = 100              // or after so many times as long as that takes
	patience  = 250 * time.Millisecond
	readLimit = time.Minute
)

// history is the last day of each device's main value. It is read beside the
// page, a device after the other and only what is new, so that a year of houses
// does not make anybody wait.
type history struct {
	mu     sync.Mutex
	tracks map[string]*track // by device
	busy   chan struct{}     // closed when the reading is over; nil: nobody reads
	looked time.Time
	took   time.Duration // for all of it

	life context.Context
	end  context.CancelFunc
	wg   sync.WaitGroup
}

// track is the line of one device.
type track struct {
	key         string
	measurement string // where its readings are
	arrived     time.Time
	start       time.Time // of the first bucket
	buckets     []bucket
	whole       time.Time // when it was last read from the start
	last        time.Time // of the newest point
	sample      bool      // that point is invented
}

// want is a line that the page would draw.
type want struct {
	device, key  string
	measurements []string // where its readings may be
	newest       time.Time
}

func newHistory() *history {
	h := &history{tracks: map[string]*track{}}
	h.life, h.end = context.WithCancel(context.Background())
	return h
}

// close ends a reading that is under way.
func (h *history) close() {
	h.end()
	h.wg.Wait()
}

// follow has the lines read that are wanted and waits a moment for them.
func (h *history) follow(st *store.Store, wants []want, now time.Time) {
	h.mu.Lock()
	busy := h.busy
	if busy == nil && h.due(wants, now) && h.life.Err() == nil {
		busy = make(chan struct{})
		h.busy, h.looked = busy, now
		h.wg.Go(func() {
			h.read(st, wants, now)
			h.mu.Lock()
			h.busy = nil
			h.mu.Unlock()
			close(busy)
		})
	}
	h.mu.Unlock()
	if busy == nil {
		return
	}
	select {
	case <-busy:
	case <-time.After(patience):
	}
}

func (h *history) due(wants []want, now time.Time) bool {
	if now.Sub(h.looked) >= again || now.Before(h.looked) {
		return len(wants) > 0
	}
	for _, w := range wants {
		if t := h.tracks[w.device]; t == nil || t.key != w.key {
			return true
		}
	}
	return false
}

func (h *history) read(st *store.Store, wants []want, now time.Time) {
	ctx, cancel := context.WithTimeout(h.life, readLimit)
	defer cancel()
	began := time.Now()
	all := true
	for _, w := range wants {
		whole, err := h.one(ctx, st, w, now)
		if all = all && whole; err != nil {
			return // the page says that the store is away; the line stays as it is
		}
	}
	if all {
		h.took = time.Since(began) // by the one reader alone
	}
}

// one brings a device's line up to date and reports whether all of it was read.
func (h *history) one(ctx context.Context, st *store.Store, w want, now time.Time) (whole bool, err error) {
	h.mu.Lock()
	old := h.tracks[w.device]
	h.mu.Unlock()
	start := now.Truncate(stride).Add(-(steps - 1) * stride)
	t := &track{key: w.key, arrived: w.newest, start: start, buckets: make([]bucket, steps), whole: now}
	from := start
	whole = old == nil || old.key != w.key || now.Sub(old.whole) > max(wholly, share*h.took) || old.start.After(start)
	if !whole {
		t.measurement, t.whole, t.last, t.sample = old.measurement, old.whole, old.last, old.sample
		gone := int(start.Sub(old.start) / stride)
		from = start.Add(steps * stride)
		for i := range t.buckets {
			if i+gone < steps-1 { // the last one was not full yet
				t.buckets[i] = old.buckets[i+gone]
			} else if at := start.Add(time.Duration(i) * stride); at.Before(from) {
				from = at
			}
		}
		if old.arrived.Equal(w.newest) && gone == 0 {
			return false, nil
		}
	}
	for _, name := range w.measurements {
		if t.measurement != "" && t.measurement != name {
			continue
		}
		points, err := st.Between(ctx, name, map[string]string{"device": w.device}, from, now.Add(time.Minute))
		if err != nil {
			return whole, err
		}
		for _, p := range points {
			i := int(p.Time.Sub(start) / stride)
			if v, ok := p.Fields[w.key]; ok && i >= 0 && i < steps {
				t.buckets[i].add(v)
				t.measurement = name
				if p.Time.After(t.last) {
					t.last, t.sample = p.Time, p.Tags[catalogue.SampleLabel] != ""
				}
			}
		}
	}
	h.mu.Lock()
	h.tracks[w.device] = t
	h.mu.Unlock()
	return whole, nil
}

// invented reports whether what a device said last, as far as it was read, is
// sample data.
func (h *history) invented(device string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tracks[device]
	return t != nil && t.sample
}

// draw returns a device's line.
func (h *history) draw(device, key, unit string) Spark {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := h.tracks[device]; t != nil && t.key == key {
		return line(t.buckets, unit)
	}
	return Spark{}
}

// wantsOf lists the lines of devices that are shown.
func wantsOf(devices []Device) []want {
	var out []want
	for _, d := range devices[:min(len(devices), maxDevices)] {
		if d.Main == nil || d.Main.Text != "" && words[d.Main.Key] == [2]string{} {
			continue
		}
		w := want{device: d.ID, key: d.Main.Key, newest: d.Main.Time}
		for _, m := range d.in {
			if _, ok := m.Field(d.Main.Key); ok || m.Open {
				w.measurements = append(w.measurements, m.Name)
			}
		}
		out = append(out, w)
	}
	return out
}
