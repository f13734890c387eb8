// Package message defines what the connector keeps in its spool: the records of MQTT
// messages, and the names of the readers that are the functions' cursors.
package message

import (
	"encoding/binary"
	"errors"
	"strconv"
	"time"
)

// Message is one MQTT message as the spool keeps it.
type Message struct {
	Arrival  int64 // unix nanoseconds; it increases strictly over all messages of the connector, and so is the message's id
	Topic    string
	Payload  []byte
	Packet   uint16 // the broker's packet id; a redelivery is recognised by it, topic and payload
	QoS      byte
	Retained bool
	Replayed bool   // from the dead letters
	Only     string // the one function that it is for; "": all functions that subscribe to the topic
}

// ID returns the message's id, which redelivery and replay keep.
func (m *Message) ID() string { return strconv.FormatInt(m.Arrival, 36) }

// Time returns when the message first arrived, in UTC.
func (m *Message) Time() time.Time { return time.Unix(0, m.Arrival).UTC() }

const (
	flagRetained = 1 << 2 // the two lowest bits are the QoS
	flagReplayed = 1 << 3
	headerLen    = 1 + 2 + 8 + 2
)

var errRecord = errors.New("spool record is no message")

// Encode encodes m as a record of the spool: flags (1 byte), packet id (2), arrival
// (8), length of the topic (2), topic, length of Only (1), Only, payload. Integers are
// little endian.
func (m *Message) Encode() []byte {
	flags := m.QoS & 3
	if m.Retained {
		flags |= flagRetained
	}
	if m.Replayed {
		flags |= flagReplayed
	}
	b := make([]byte, 0, headerLen+len(m.Topic)+1+len(m.Only)+len(m.Payload))
	b = append(b, flags)
	b = binary.LittleEndian.AppendUint16(b, m.Packet)
	b = binary.LittleEndian.AppendUint64(b, uint64(m.Arrival))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(m.Topic)))
	b = append(b, m.Topic...)
	b = append(b, byte(len(m.Only)))
	b = append(b, m.Only...)
	return append(b, m.Payload...)
}

// Decode is the inverse of Encode. The payload of m is a part of b.
func Decode(b []byte) (m Message, err error) {
	if len(b) < headerLen {
		return m, errRecord
	}
	m.QoS, m.Retained, m.Replayed = b[0]&3, b[0]&flagRetained != 0, b[0]&flagReplayed != 0
	m.Packet = binary.LittleEndian.Uint16(b[1:])
	m.Arrival = int64(binary.LittleEndian.Uint64(b[3:]))
	n := int(binary.LittleEndian.Uint16(b[11:]))
	b = b[headerLen:]
	if len(b) < n+1 {
		return m, errRecord
	}
	m.Topic, b = string(b[:n]), b[n:]
	n, b = int(b[0]), b[1:]
	if len(b) < n {
		return m, errRecord
	}
	m.Only, m.Payload = string(b[:n]), b[n:]
	return m, nil
}
