package bridge

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"
)

// batchType is a batch of CloudEvents in their JSON form.
const batchType = "application/cloudevents-batch+json"

// eventOverhead is what an event takes besides topic and payload, at most.
const eventOverhead = 260

// size is about how many bytes m takes in a batch.
func (m *Message) size() int {
	return eventOverhead + len(m.Topic) + base64.StdEncoding.EncodedLen(len(m.Payload))
}

// appendBatch appends ms as a CloudEvents batch. The payload is always base64:
// exact bytes, and what is not JSON cannot break its neighbours.
func appendBatch(b []byte, ms []*item) []byte {
	b = append(b, '[')
	for i, m := range ms {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEvent(b, &m.Message)
	}
	return append(b, ']')
}

func appendEvent(b []byte, m *Message) []byte {
	b = append(b, `{"specversion":"1.0","type":"mqtt.message","source":"hearth/connector","id":"`...)
	b = strconv.AppendInt(b, m.Arrival, 36)
	b = append(b, `","subject":`...)
	b = appendString(b, m.Topic)
	b = append(b, `,"time":"`...)
	b = m.Time().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","mqttqos":`...)
	b = append(b, '0'+m.QoS)
	b = append(b, `,"mqttretained":`...)
	b = strconv.AppendBool(b, m.Retained)
	if m.Replayed {
		b = append(b, `,"mqttreplay":true`...)
	}
	b = append(b, `,"data_base64":"`...)
	b = base64.StdEncoding.AppendEncode(b, m.Payload)
	return append(b, `"}`...)
}

// appendString writes a JSON string; plain ASCII, as nearly all topics are,
// without the detour.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			q, _ := json.Marshal(s) // a string is always JSON
			return append(b, q...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
