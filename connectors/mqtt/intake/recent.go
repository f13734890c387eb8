package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cespare/xxhash/v2"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/spool"
)

const (
	remembered = 60_000 // messages. Fewer than the 65,535 packet ids, so that a new message does not get the packet id of a remembered one
	seenReader = "seen" // the spool reader that keeps their records on disk
)

// Recent recognises redeliveries of the last messages. Its reader keeps the records of
// these messages in the spool, so that they can be read again after a restart.
type Recent struct {
	log         *slog.Logger
	spool       *spool.Log
	reader      *spool.Reader
	ring        []uint64            // fingerprints
	next        int                 // index of the oldest in ring
	known       map[uint64]struct{} // the fingerprints in ring
	keepRecords spool.Seq           // number of records that reader keeps in the spool
	maxBytes    int64               // of these records
	last        int64               // the latest arrival, unix nanoseconds
	replayed    []message.ReplayRecord
}

// readErrors is how many reads of the spool may fail in a row at the start. A bad sector
// is skipped before that.
const readErrors = 5

// ReadRecent reads the last messages from the spool. It keeps at most maxBytes of the
// spool's records for the next start. If a part of the spool cannot be read, redeliveries
// of its messages are not recognised. An error is ctx's, or means that the reader is in
// use.
func ReadRecent(ctx context.Context, l *spool.Log, maxBytes int64, log *slog.Logger) (*Recent, error) {
	r := &Recent{log: log, spool: l, ring: make([]uint64, remembered), known: make(map[uint64]struct{}, 1024), keepRecords: remembered, maxBytes: maxBytes}
	var err error
	if r.reader, err = l.Reader(seenReader); err != nil {
		return nil, fmt.Errorf("read the spool: %w", err)
	}
	for failures := 0; ctx.Err() == nil; {
		recs, err := r.reader.Poll(4096, 4<<20)
		switch failures++; {
		case err != nil && failures < readErrors:
			continue
		case err != nil:
			log.Error("a part of the spool cannot be read: redeliveries of its messages are not recognised", "err", err)
			return r, nil
		case len(recs) == 0:
			return r, nil
		}
		failures = 0
		r.addRecords(recs)
	}
	return nil, errors.Join(ctx.Err(), r.reader.Close())
}

func (r *Recent) addRecords(recs []spool.Record) {
	for _, rec := range recs {
		m, err := message.Decode(rec.Data)
		if err != nil {
			continue
		}
		r.add(&m, rec.Seq)
		if m.Replayed {
			r.replayed = append(r.replayed, message.ReplayRecord{Function: m.Only, ID: m.ID(), Seq: rec.Seq})
		}
	}
}

// Replayed returns the replayed dead letters among the messages that ReadRecent has
// read, oldest first.
func (r *Recent) Replayed() []message.ReplayRecord { return r.replayed }

// add adds a message whose record is in the spool at seq.
func (r *Recent) add(m *message.Message, seq spool.Seq) {
	r.last = max(r.last, m.Arrival)
	if seq > r.keepRecords {
		r.reader.Commit(seq - r.keepRecords)
	}
	if m.QoS > 0 && m.Only == "" {
		r.remember(m)
	}
}

// remember adds the fingerprint of m in place of the oldest.
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

// limit returns n, or less if the spool is small: one write must fit into it.
func (r *Recent) limit(n int64) int64 { return min(n, r.maxBytes) }

// shrink halves keepRecords until the records take at most maxBytes, so that large
// messages do not fill the spool.
func (r *Recent) shrink() {
	before := r.keepRecords
	for next := r.spool.Next(); r.reader.Lag().Bytes > r.maxBytes && r.keepRecords > 1; {
		if r.keepRecords /= 2; next > r.keepRecords {
			r.reader.Commit(next - r.keepRecords)
		}
	}
	if r.keepRecords < before {
		r.log.Info("messages are large: redeliveries of fewer messages are recognised after a restart", "messages", uint64(r.keepRecords))
	}
}

// fingerprint is a hash of packet id, topic and payload, which a redelivery has in
// common with the first delivery.
func fingerprint(m *message.Message) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write([]byte{byte(m.Packet), byte(m.Packet >> 8)})
	_, _ = d.WriteString(m.Topic)
	_, _ = d.Write([]byte{0})
	_, _ = d.Write(m.Payload)
	return d.Sum64()
}

// fingerprints returns the set of the messages' fingerprints.
func fingerprints(ms []*incoming) map[uint64]struct{} {
	out := make(map[uint64]struct{}, len(ms))
	for _, m := range ms {
		out[fingerprint(&m.Message)] = struct{}{}
	}
	return out
}
