package wire

import (
	"errors"
	"strings"

	"github.com/hearth-home/hearth/shared/scan"
)

// TimeLayout is that of a Reading's time: RFC 3339 with milliseconds, UTC.
const TimeLayout = "2006-01-02T15:04:05.000Z"

// Reading is the message at hearth/<node>/<device> (design: "Edge reading on
// MQTT").
type Reading struct {
	Device      string             `json:"device"`
	Sensor      string             `json:"sensor"`                // its kind
	Measurement string             `json:"measurement,omitempty"` // of the catalogue; older agents and their spools have none
	Time        string             `json:"time,omitempty"`        // absent: unknown, with quality clock_unsynced
	Boot        string             `json:"boot"`
	Seq         uint64             `json:"seq"`
	Fields      map[string]float64 `json:"fields"`
	Text        map[string]string  `json:"text,omitempty"`
	Quality     string             `json:"quality"`
	Reason      string             `json:"reason,omitempty"`
	Sample      bool               `json:"sample,omitempty"` // of a simulated sensor
	Gone        uint64             `json:"gone,omitempty"`   // no number of this boot up to this one is still to come: the disk dropped some
}

// RawReading is a Reading as it lies in the message.
type RawReading struct {
	Device, Sensor, Measurement, Time, Boot, Quality, Reason []byte
	Seq, Gone                                                float64
	Fields, Text                                             []byte // JSON
	Sample                                                   bool
}

// DecodeReading takes a Reading apart. What it returns may be a part of payload;
// keys that it does not know are passed over.
func DecodeReading(payload []byte) (e RawReading, err error) {
	s := scan.New(payload)
	err = s.Object(func(key []byte) (err error) {
		switch string(key) {
		case "device":
			e.Device, err = s.Text()
		case "sensor":
			e.Sensor, err = s.Text()
		case "measurement":
			e.Measurement, err = s.Text()
		case "time":
			e.Time, err = s.Text()
		case "boot":
			e.Boot, err = s.Text()
		case "seq":
			e.Seq, err = s.Float()
		case "gone":
			e.Gone, err = s.Float()
		case "quality":
			e.Quality, err = s.Text()
		case "reason":
			e.Reason, err = s.Text()
		case "sample":
			var yes []byte
			yes, err = s.Raw()
			e.Sample = string(yes) == "true"
		case "fields":
			e.Fields, err = s.Raw()
		case "text":
			e.Text, err = s.Raw()
		default:
			err = s.Skip()
		}
		return err
	})
	if err == nil {
		err = s.End()
	}
	return e, err
}

// NodeStatus is the message at hearth/<node>/status, and the last will there.
type NodeStatus struct {
	State     string `json:"state"` // Online or Offline
	Boot      string `json:"boot"`
	Time      string `json:"time,omitempty"`
	Simulated int    `json:"simulated"` // 1: the sensors are; a number, as all that hearth keeps of a node
}

// The states of a node.
const (
	Online  = "online"
	Offline = "offline"
)

var errStatus = errors.New(`a status is {"state":"online"} or {"state":"offline"}`)

const maxNumbers = 32 // of a status

// DecodeStatus reads a NodeStatus. It takes older and other agents' too: the
// bare word, "status" for "state", "online" as a truth value, and any numbers
// beside it.
func DecodeStatus(payload []byte) (online bool, boot string, numbers map[string]float64, err error) {
	state := strings.ToLower(string(payload))
	if len(payload) > 0 && payload[0] == '{' {
		if state, boot, numbers, err = decodeStatus(scan.New(payload)); err != nil {
			return false, "", nil, err
		}
	}
	if state != Online && state != Offline {
		return false, "", nil, errStatus
	}
	return state == Online, boot, numbers, nil
}

func decodeStatus(doc *scan.Scanner) (state, boot string, numbers map[string]float64, err error) {
	err = doc.Object(func(key []byte) error {
		switch k := string(key); {
		case k == "state" || k == "status":
			text, err := doc.Text()
			state = strings.ToLower(string(text))
			return err
		case k == Online:
			yes, err := doc.Bool()
			state = map[bool]string{true: Online, false: Offline}[yes]
			return err
		case k == "boot":
			text, err := doc.Text()
			boot = string(text)
			return err
		case doc.Kind() == scan.Number && len(numbers) < maxNumbers:
			v, err := doc.Float()
			if numbers == nil {
				numbers = map[string]float64{}
			}
			numbers[k] = v
			return err
		}
		return doc.Skip()
	})
	return state, boot, numbers, errors.Join(err, doc.End())
}
