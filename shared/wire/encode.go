package wire

import (
	"encoding/base64"
	"encoding/json"
	"iter"
	"strconv"
	"time"
)

// eventOverhead is the most bytes that an event takes besides topic and payload.
const eventOverhead = 260

// Size returns the approximate number of bytes that a message takes in a batch.
func Size(topic string, payload []byte) int {
	return eventOverhead + len(topic) + base64.StdEncoding.EncodedLen(len(payload))
}

// AppendBatch appends ms to b as a CloudEvents batch. Payloads are always base64: that
// keeps the exact bytes, and a payload that is not JSON cannot make the batch invalid.
func AppendBatch(b []byte, ms iter.Seq[Message]) []byte {
	b = append(b, '[')
	first := true
	for m := range ms {
		if !first {
			b = append(b, ',')
		}
		b, first = appendEvent(b, &m), false
	}
	return append(b, ']')
}

func appendEvent(b []byte, m *Message) []byte {
	b = append(b, `{"specversion":"1.0","type":"mqtt.message","source":"hearth/connector","id":`...)
	b = appendString(b, m.ID)
	b = append(b, `,"subject":`...)
	b = appendString(b, m.Topic)
	b = append(b, `,"time":"`...)
	b = m.Time.AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","mqttqos":`...)
	b = append(b, '0'+m.QoS)
	b = append(b, `,"mqttretained":`...)
	b = strconv.AppendBool(b, m.Retained)
	if m.Replay {
		b = append(b, `,"mqttreplay":true`...)
	}
	b = append(b, `,"data_base64":"`...)
	b = base64.StdEncoding.AppendEncode(b, m.Payload)
	return append(b, `"}`...)
}

// appendString appends s as a JSON string. Plain ASCII, as in nearly all topics, needs
// no call of encoding/json.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			q, _ := json.Marshal(s) // a string never fails
			return append(b, q...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
