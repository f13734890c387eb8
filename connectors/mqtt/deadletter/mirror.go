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
	noticeBytes   = 256 << 10 // of the notices of one write to the spool, approximately
	noticeCount   = 512       // notices of one write, at most
	appendTimeout = 5 * time.Second
	shownBytes    = 8 << 20 // of a payload that is shown to a person
)

// report appends the notice of a letter to the spool. The caller holds l.mu.
func (l *Letters) report(d *Letter) error {
	if !d.mirrored() {
		return nil
	}
	m, err := l.notice(d, false)
	if err != nil {
		return err
	}
	return l.write(context.Background(), []message.Message{m})
}

// mirrored reports whether d has notices. A dead letter that is itself a rejected
// notice has none: the mirror would reject that notice too, without end.
func (d *Letter) mirrored() bool { return !strings.HasPrefix(d.Topic, wire.DeadPrefix) }

// write appends messages to the spool, within appendTimeout.
func (l *Letters) write(ctx context.Context, ms []message.Message) error {
	if len(ms) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, appendTimeout)
	defer cancel()
	_, err := l.put(ctx, ms)
	return err
}

// put appends messages to the spool and returns the record of the first.
func (l *Letters) put(ctx context.Context, ms []message.Message) (spool.Seq, error) {
	records := make([][]byte, len(ms))
	for i := range ms {
		records[i] = ms[i].Encode()
	}
	return l.o.Append(ctx, records...)
}

// notice returns the message that tells the mirror of a letter, or with gone of its
// removal. The caller holds l.mu.
func (l *Letters) notice(d *Letter, gone bool) (message.Message, error) {
	s := l.shown(*d)
	b, err := json.Marshal(wire.DeadNotice{ID: s.ID, Function: s.Function, Topic: s.Topic, Reason: s.Reason, First: s.First, Last: s.Last, Count: int64(s.Count),
		Arrival: s.Arrival, QoS: s.QoS, Retained: s.Retained, Size: int64(s.Size), Cut: s.Cut, Excerpt: s.Payload[:min(len(s.Payload), wire.ExcerptBytes)], Gone: gone})
	l.lastNotice = max(l.o.Now().UnixNano(), l.lastNotice+1) // increases strictly: the mirror keeps the later one of two notices
	return message.Message{Arrival: l.lastNotice, Topic: wire.DeadPrefix + d.ID, Payload: b, QoS: 1}, err
}

// shown returns d without the secrets in its topic and payload, to be shown to a
// person. The file keeps the exact bytes.
func (l *Letters) shown(d Letter) Letter {
	d.Topic = l.o.Redact(d.Topic, len(d.Topic)+1)
	if len(d.Payload) > 0 {
		d.Payload = []byte(l.payload(&d))
	}
	return d
}

// payload returns d's payload without secrets.
func (l *Letters) payload(d *Letter) string {
	text := string(d.Payload)
	if d.Cut && l.o.RedactCut != nil {
		text = l.o.RedactCut(text)
	}
	return l.o.Redact(text, shownBytes)
}

// reportAll appends the notices of all letters to the spool, and those of removed
// letters that the mirror may still have. It runs once after the start. It writes many
// notices at a time, since each write waits for the disk. After a failure, the next
// start reports the rest.
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
		part, names = l.readSome(names)
		if l.reportKept(ctx, part) != nil {
			return
		}
	}
}

// reportGone appends the notices of removed letters to the spool, many at a time. It
// returns false if some are left for the next call or the next start.
func (l *Letters) reportGone(ctx context.Context, ds []*Letter) bool {
	if len(ds) == 0 {
		return true
	}
	l.mu.Lock()
	ds, l.unreported = append(l.unreported, ds...), nil
	l.mu.Unlock()
	for part := range slices.Chunk(ds, noticeCount) {
		if ctx.Err() != nil || l.reportSomeGone(ctx, part) != nil {
			l.mu.Lock()
			l.unreported = append(l.unreported, ds...)
			l.mu.Unlock()
			return false
		}
		ds = ds[len(part):]
	}
	return true
}

// reportSomeGone is reportGone for the letters of one write. Then it deletes their
// files.
func (l *Letters) reportSomeGone(ctx context.Context, ds []*Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ms []message.Message
	for _, d := range ds {
		if l.letters[fileName(d.Function, d.ID)] != nil || !d.mirrored() {
			continue // not removed any more: its message was rejected again
		}
		m, err := l.notice(d, true)
		if err != nil {
			return err
		}
		ms = append(ms, m)
	}
	if err := l.write(ctx, ms); err != nil {
		return err
	}
	for _, d := range ds {
		_ = os.Remove(filepath.Join(l.o.Dir, fileName(d.Function, d.ID)) + goneExt) // if this fails, the next start reports it again
	}
	return nil
}

// readSome reads letters with the beginning of their payloads, as many as fit into one
// write. rest are the names of the others.
func (l *Letters) readSome(names []string) (part []*Letter, rest []string) {
	size := 0
	for len(names) > 0 && len(part) < noticeCount && size < noticeBytes {
		d, err := l.read(names[0])
		names = names[1:]
		if err != nil {
			continue // removed meanwhile
		}
		text := l.payload(d) // before it is cut
		d.Payload = []byte(text[:min(len(text), wire.ExcerptBytes)])
		size += len(d.Topic) + len(d.Reason) + 2*len(d.Payload) + reasonBytes
		part = append(part, d)
	}
	return part, names
}

// reportKept appends the notices of letters to the spool. It leaves out a letter that
// has changed since it was read: the change has a notice of its own.
func (l *Letters) reportKept(ctx context.Context, ds []*Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ms []message.Message
	for _, d := range ds {
		if now := l.letters[fileName(d.Function, d.ID)]; now == nil || now.Count != d.Count || !d.mirrored() {
			continue
		}
		m, err := l.notice(d, false)
		if err != nil {
			return err
		}
		ms = append(ms, m)
	}
	return l.write(ctx, ms)
}
