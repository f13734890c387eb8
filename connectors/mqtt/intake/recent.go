package intake

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/cespare/xxhash/v2"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/spool"
)

const (
	remembered = 60_000 // messages that a redelivery is recognised among: with more, a new message may have the packet id of an old one
	seenReader = "seen" // the spool's reader that keeps them on disk
)

// Recent is the last messages, among which a redelivery is recognised. They are
// read again from the spool after a restart, so the spool keeps them that long.
type Recent struct {
	log      *slog.Logger
	spool    *spool.Log
	reader   *spool.Reader
	ring     []uint64 // fingerprints, oldest at next
	next     int
	known    map[uint64]struct{} // the same fingerprints
	keep     spool.Seq           // so many records stay in the spool
	maxBytes int64               // and at most so many bytes
	last     int64               // the newest arrival
	replayed []message.Placed
}

// ReadRecent reads the last messages from the spool. At most maxBytes of it are
// kept for them.
func ReadRecent(ctx context.Context, l *spool.Log, maxBytes int64, log *slog.Logger) (*Recent, error) {
	r := &Recent{log: log, spool: l, ring: make([]uint64, remembered), known: make(map[uint64]struct{}, 1024), keep: remembered, maxBytes: maxBytes}
	var err error
	if r.reader, err = l.Reader(seenReader); err != nil {
		return nil, fmt.Errorf("read the spool: %w", err)
	}
	for end := l.Next(); ; {
		if lag := r.reader.Lag(); lag.Records == 0 {
			return r, nil
		}
		recs, err := r.reader.Next(ctx, 4096, 4<<20)
		if err != nil {
			return nil, fmt.Errorf("read the spool: %w", err)
		}
		for _, rec := range recs {
			if m, err := message.Decode(rec.Data); err == nil {
				r.add(&m, rec.Seq)
				if m.Replayed {
					r.replayed = append(r.replayed, message.Placed{Function: m.Only, ID: m.ID(), Seq: rec.Seq})
				}
			}
		}
		if recs[len(recs)-1].Seq+1 >= end {
			return r, nil
		}
	}
}

// Replayed returns the replayed dead letters that were among the last messages
// at the start, oldest first.
func (r *Recent) Replayed() []message.Placed { return r.replayed }

// add takes a message that is in the spool at seq.
func (r *Recent) add(m *message.Message, seq spool.Seq) {
	r.last = max(r.last, m.Arrival)
	if seq > r.keep {
		r.reader.Commit(seq - r.keep)
	}
	if m.QoS > 0 && m.Only == "" {
		r.remember(m)
	}
}

// remember makes a redelivery of m recognised from now on.
func (r *Recent) remember(m *message.Message) {
	delete(r.known, r.ring[r.next])
	r.ring[r.next] = fingerprint(m)
	r.known[r.ring[r.next]] = struct{}{}
	r.next = (r.next + 1) % remembered
}

func (r *Recent) has(print uint64) bool {
	_, ok := r.known[print]
	return ok
}

// bound keeps fewer records on disk where they are large, so that they do not
// fill the spool.
func (r *Recent) bound() {
	before := r.keep
	for next := r.spool.Next(); r.reader.Lag().Bytes > r.maxBytes && r.keep > 1; {
		if r.keep /= 2; next > r.keep {
			r.reader.Commit(next - r.keep)
		}
	}
	if r.keep < before {
		r.log.Info("messages are large: fewer of them are recognised after a restart", "messages", uint64(r.keep))
	}
}

// fingerprint is what a redelivery has in common with its message: packet id,
// topic and payload.
func fingerprint(m *message.Message) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write([]byte{byte(m.Packet), byte(m.Packet >> 8)})
	_, _ = d.WriteString(m.Topic)
	_, _ = d.Write([]byte{0})
	_, _ = d.Write(m.Payload)
	return d.Sum64()
}

func fingerprints(ms []*incoming) map[uint64]struct{} {
	out := make(map[uint64]struct{}, len(ms))
	for _, m := range ms {
		out[fingerprint(&m.Message)] = struct{}{}
	}
	return out
}
