package deadletter

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/spool"
	"github.com/hearth-home/hearth/shared/wire"
)

const (
	newsBytes  = 256 << 10 // of news that are written at once, about
	newsCount  = 512
	newsWait   = 5 * time.Second
	shownBytes = 8 << 20 // of a payload that a person looks at
)

// report writes news of one letter that is kept. With l.mu.
func (l *Letters) report(d *Letter) error {
	if !d.mirrored() {
		return nil
	}
	m, err := l.news(d, false)
	if err != nil {
		return err
	}
	return l.write(context.Background(), []message.Message{m})
}

// mirrored is false for news that the mirror refused: news of those would be
// refused too, and so on.
func (d *Letter) mirrored() bool { return !strings.HasPrefix(d.Topic, wire.DeadPrefix) }

func (l *Letters) write(ctx context.Context, ms []message.Message) error {
	if len(ms) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, newsWait)
	defer cancel()
	_, err := l.put(ctx, ms)
	return err
}

// put appends messages to the spool and returns where the first one is.
func (l *Letters) put(ctx context.Context, ms []message.Message) (spool.Seq, error) {
	records := make([][]byte, len(ms))
	for i := range ms {
		records[i] = ms[i].Encode()
	}
	return l.o.Append(ctx, records...)
}

// news is what the mirror gets to know of a letter. With l.mu.
func (l *Letters) news(d *Letter, gone bool) (message.Message, error) {
	s := l.shown(*d)
	b, err := json.Marshal(wire.DeadNews{ID: s.ID, Function: s.Function, Topic: s.Topic, Reason: s.Reason, First: s.First, Last: s.Last, Count: int64(s.Count),
		Arrival: s.Arrival, QoS: s.QoS, Retained: s.Retained, Size: int64(s.Size), Cut: s.Cut, Sample: s.Payload[:min(len(s.Payload), wire.SampleBytes)], Gone: gone})
	l.reported = max(l.o.Now().UnixNano(), l.reported+1) // the mirror keeps the later news of two
	return message.Message{Arrival: l.reported, Topic: wire.DeadPrefix + d.ID, Payload: b, QoS: 1}, err
}

// shown is d as a person may see it, without secrets. The file keeps the exact
// bytes.
func (l *Letters) shown(d Letter) Letter {
	d.Topic = l.o.Redact(d.Topic, len(d.Topic)+1)
	if text := string(d.Payload); text != "" {
		d.Payload = []byte(l.o.Redact(text, shownBytes))
	}
	return d
}

// reportAll reports every letter, once at start, and those that are gone and that
// the mirror may not know of. It reports many at once, since each write waits for
// the disk. What cannot be reported now is reported at the next start.
func (l *Letters) reportAll(ctx context.Context) {
	l.mu.Lock()
	gone, names := l.unreported, slices.Collect(maps.Keys(l.letters))
	l.unreported = nil
	l.mu.Unlock()
	if !l.reportGone(ctx, gone) {
		return
	}
	for ctx.Err() == nil && len(names) > 0 {
		var part []*Letter
		part, names = l.samples(names)
		if l.reportKept(ctx, part) != nil {
			return
		}
	}
}

// reportGone reports letters that are gone, many at once. False: some are left for the
// next start.
func (l *Letters) reportGone(ctx context.Context, ds []*Letter) bool {
	for part := range slices.Chunk(ds, newsCount) {
		if ctx.Err() != nil || l.reportSomeGone(ctx, part) != nil {
			return false
		}
	}
	return true
}

func (l *Letters) reportSomeGone(ctx context.Context, ds []*Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ms []message.Message
	for _, d := range ds {
		if l.letters[fileName(d.Function, d.ID)] != nil || !d.mirrored() {
			continue // it is back
		}
		m, err := l.news(d, true)
		if err != nil {
			return err
		}
		ms = append(ms, m)
	}
	if err := l.write(ctx, ms); err != nil {
		return err
	}
	for _, d := range ds {
		_ = os.Remove(filepath.Join(l.o.Dir, fileName(d.Function, d.ID)) + goneExt) // left over, it is reported again
	}
	return nil
}

// samples reads letters for the news, as many as are written at once.
func (l *Letters) samples(names []string) (part []*Letter, rest []string) {
	size := 0
	for len(names) > 0 && len(part) < newsCount && size < newsBytes {
		d, err := l.read(names[0])
		names = names[1:]
		if err != nil {
			continue // gone by now
		}
		text := l.o.Redact(string(d.Payload), shownBytes) // before it is cut: half a secret is not recognised
		d.Payload = []byte(text[:min(len(text), wire.SampleBytes)])
		size += len(d.Topic) + len(d.Reason) + 2*len(d.Payload) + reasonBytes
		part = append(part, d)
	}
	return part, names
}

// reportKept reports letters that are still as they were read.
func (l *Letters) reportKept(ctx context.Context, ds []*Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ms []message.Message
	for _, d := range ds {
		if now := l.letters[fileName(d.Function, d.ID)]; now == nil || now.Count != d.Count || !d.mirrored() {
			continue
		}
		m, err := l.news(d, false)
		if err != nil {
			return err
		}
		ms = append(ms, m)
	}
	return l.write(ctx, ms)
}
