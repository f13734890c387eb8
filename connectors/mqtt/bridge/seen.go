package bridge

import (
	"github.com/cespare/xxhash/v2"

	"github.com/hearth-home/hearth/shared/spool"
)

// fingerprint tells messages apart the way a redelivery can be recognised: the
// same packet id, topic and payload.
func fingerprint(m *Message) uint64 {
	var d xxhash.Digest
	d.Reset()
	_, _ = d.Write([]byte{byte(m.Packet), byte(m.Packet >> 8)})
	_, _ = d.WriteString(m.Topic)
	_, _ = d.Write([]byte{0})
	_, _ = d.Write(m.Payload)
	return d.Sum64()
}

func (in *intake) remember(m *Message, seq spool.Seq) {
	in.last = max(in.last, m.Arrival)
	if seq > in.keep {
		in.seen.Commit(seq - in.keep)
	}
	if m.QoS == 0 || m.Only != "" {
		return
	}
	in.know(m)
}

// know recognises a redelivery of m from now on.
func (in *intake) know(m *Message) {
	delete(in.known, in.ring[in.next])
	in.ring[in.next] = fingerprint(m)
	in.known[in.ring[in.next]] = struct{}{}
	in.next = (in.next + 1) % remembered
}

// bound holds back fewer records where they are large: what is remembered must
// not fill the spool.
func (in *intake) bound() {
	before := in.keep
	for next := in.log.Next(); in.seen.Lag().Bytes > in.hold && in.keep > 1; {
		if in.keep /= 2; next > in.keep {
			in.seen.Commit(next - in.keep)
		}
	}
	if in.keep < before {
		in.slog.Info("messages are large: a restart remembers fewer of them", "messages", uint64(in.keep))
	}
}

func prints(ms []*incoming) map[uint64]struct{} {
	out := make(map[uint64]struct{}, len(ms))
	for _, m := range ms {
		out[fingerprint(&m.Message)] = struct{}{}
	}
	return out
}
