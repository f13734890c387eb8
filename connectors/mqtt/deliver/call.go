package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"os"

	"github.com/hearth-home/hearth/connectors/mqtt/message"
	"github.com/hearth-home/hearth/shared/wire"
)

// maxAnswer is how much of an answer is read. One byte more shows that it is
// longer.
const maxAnswer = 1 << 20

// call sends messages to a function: one as it is, several as a batch.
func (g *gateway) call(ctx context.Context, f listener, ms []*item, buf *bytes.Buffer) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	body := ms[0].Payload
	if f.Batch > 0 {
		buf.Reset()
		buf.Grow(sizeOf(ms))
		body = wire.AppendBatch(buf.AvailableBuffer(), events(ms))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url+"/function/"+f.Name, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("call %s: %w", f.Name, err)
	}
	req.Header.Set("User-Agent", "hearth-mqtt-connector")
	req.Header.Set("X-Connector", "hearth-mqtt-connector")
	if f.Batch > 0 {
		req.Header.Set("Content-Type", wire.ContentType)
	} else {
		m := event(&ms[0].Message)
		wire.Header(req.Header, &m)
	}
	res, err := g.client.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("call %s: %w", f.Name, err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return 0, nil, fmt.Errorf("call %s: %w", f.Name, err)
	}
	return res.StatusCode, answer, nil
}

// event is m as the contract with the functions has it.
func event(m *message.Message) wire.Message {
	return wire.Message{ID: m.ID(), Topic: m.Topic, Time: m.Time(), Payload: m.Payload, QoS: m.QoS, Retained: m.Retained, Replay: m.Replayed}
}

func events(ms []*item) iter.Seq[wire.Message] {
	return func(yield func(wire.Message) bool) {
		for _, it := range ms {
			if !yield(event(&it.Message)) {
				return
			}
		}
	}
}

// size is about how many bytes m takes in a batch.
func size(m *message.Message) int { return wire.Size(m.Topic, m.Payload) }

func sizeOf(ms []*item) (n int) {
	for _, m := range ms {
		n += size(&m.Message)
	}
	return n
}

// isTimeout reports whether the call was made and no answer came: the messages
// may be the cause. A gateway that cannot be reached is no message's fault.
func isTimeout(err error) bool {
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return false
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}
