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

// maxAnswer is how many bytes of an answer are used. One byte more is read, to
// recognise an answer that is longer.
const maxAnswer = 1 << 20

// call sends messages to a function in one POST and returns the status and the body
// of the answer, of that at most maxAnswer+1 bytes. buf is memory for the request.
func (g *gateway) call(ctx context.Context, f subscriber, ms []*item, buf *bytes.Buffer) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	req, err := newRequest(ctx, g.url+"/function/"+f.Name, f.Batch > 0, ms, buf)
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
		return 0, nil, fmt.Errorf("call %s: %w", f.Name, givenUp(ctx, err))
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return 0, nil, fmt.Errorf("call %s: %w", f.Name, givenUp(ctx, err))
	}
	return res.StatusCode, answer, nil
}

// givenUp returns why a call was given up, or err if it was not.
func givenUp(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errReplaced) {
		return errReplaced
	}
	return err
}

// newRequest returns a request whose body is a CloudEvents batch, or else the payload of the
// one message in ms. buf is the memory for a batch; a large message is encoded while it is
// sent.
func newRequest(ctx context.Context, url string, batch bool, ms []*item, buf *bytes.Buffer) (*http.Request, error) {
	body, n := ms[0].Payload, sizeOf(ms)
	switch {
	case batch && n > batchBytes && len(ms) == 1:
		open := func() (io.Reader, int64) { return wire.Stream(event(&ms[0].Message)) }
		body, length := open()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
		if err != nil {
			return nil, err
		}
		req.ContentLength = length
		req.GetBody = func() (io.ReadCloser, error) { body, _ := open(); return io.NopCloser(body), nil } // for a connection that the gateway has closed
		return req, nil
	case batch:
		buf.Reset()
		buf.Grow(n)
		body = wire.AppendBatch(buf.AvailableBuffer(), events(ms))
	}
	return http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
}

// event converts m to the type that is sent to functions.
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

// size is the approximate number of bytes that m takes in a batch.
func size(m *message.Message) int { return wire.Size(m.Topic, m.Payload) }

func sizeOf(ms []*item) (n int) {
	for _, m := range ms {
		n += size(&m.Message)
	}
	return n
}

// isTimeout reports whether a call was sent and no answer came in time. Its messages
// may be the cause. A failed connection to the gateway does not count: no message
// can be the cause of that.
func isTimeout(err error) bool {
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
		return false
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}
