package bridge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// maxAnswer is how much of an answer is read. One byte more shows that it is
// longer.
const maxAnswer = 1 << 20

// call sends messages to a function: one as it is, several as a batch.
func (g *gateway) call(ctx context.Context, f Function, ms []*item, buf *bytes.Buffer, timeout time.Duration) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	body := ms[0].Payload
	if f.Batch > 0 {
		buf.Reset()
		buf.Grow(sizeOf(ms))
		body = appendBatch(buf.AvailableBuffer(), ms)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url+"/function/"+f.Name, bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("call %s: %w", f.Name, err)
	}
	req.Header.Set("User-Agent", "hearth-mqtt-connector")
	req.Header.Set("X-Connector", "hearth-mqtt-connector")
	if f.Batch > 0 {
		req.Header.Set("Content-Type", batchType)
	} else {
		head(req.Header, &ms[0].Message)
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

func head(h http.Header, m *Message) {
	h.Set("X-Topic", m.Topic)
	h.Set("X-Mqtt-Id", m.ID())
	h.Set("X-Mqtt-Time", m.Time().Format(time.RFC3339Nano))
	h.Set("X-Mqtt-Retained", strconv.FormatBool(m.Retained))
	h.Set("Content-Type", "application/octet-stream")
	if len(m.Payload) > 0 && (m.Payload[0] == '{' || m.Payload[0] == '[') {
		h.Set("Content-Type", "application/json")
	}
}

func sizeOf(ms []*item) (n int) {
	for _, m := range ms {
		n += m.size()
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
