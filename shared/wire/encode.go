package wire

import (
	"encoding/base64"
	"encoding/json"
	"iter"
	"strconv"
	"time"
)

// eventOverhead is what an event takes besides topic and payload, at most.
const eventOverhead = 260

// Size is about how many bytes a message takes in a batch.
func Size(topic string, payload []byte) int {
	return eventOverhead + len(topic) + base64.StdEncoding.EncodedLen(len(payload))
}

// AppendBatch appends ms as a CloudEvents batch. The payload is always base64:
// exact bytes, and what is not JSON cannot break its neighbours.
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
