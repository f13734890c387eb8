package wire

import (
	"errors"
	"strings"

	"github.com/hearth-home/hearth/shared/scan"
)

// TimeLayout is the layout of a Reading's time: RFC 3339 with milliseconds, in UTC.
const TimeLayout = "2006-01-02T15:04:05.000Z"

// Reading is the message on hearth/<node>/<device> (design: "Edge reading on MQTT").
type Reading struct {
	Device      string             `json:"device"`
	Sensor      string             `json:"sensor"`                // kind of the sensor
	Measurement string             `json:"measurement,omitempty"` // of the catalogue; agents of earlier versions send none
	Time        string             `json:"time,omitempty"`        // TimeLayout; absent if unknown: then Quality is clock_unsynced
	Boot        string             `json:"boot"`                  // id of the node's boot
	Seq         uint64             `json:"seq"`                   // number of the reading within the boot
	Fields      map[string]float64 `json:"fields"`
	Text        map[string]string  `json:"text,omitempty"`
	Quality     string             `json:"quality"`
	Reason      string             `json:"reason,omitempty"` // of a quality that is not ok
	Sample      bool               `json:"sample,omitempty"` // from a simulated sensor
	Gone        uint64             `json:"gone,omitempty"`   // the agent dropped readings: of this boot, it will send none up to this number
}

// RawReading is a Reading whose values are not yet decoded. Its slices are parts of the
// message's payload.
type RawReading struct {
	Device, Sensor, Measurement, Time, Boot, Quality, Reason []byte
	Seq, Gone                                                float64
	Fields, Text                                             []byte // JSON
	Sample                                                   bool
}

// DecodeReading decodes a Reading as far as RawReading goes. It ignores unknown keys.
// The slices of the result may be parts of payload.
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

// NodeStatus is the message on hearth/<node>/status, and the node's last will there.
type NodeStatus struct {
	State     string `json:"state"`             // Online or Offline
	Boot      string `json:"boot"`              // id of the node's boot
	Time      string `json:"time,omitempty"`    // TimeLayout
	Problem   string `json:"problem,omitempty"` // of a connector: why it cannot use the broker
	Simulated int    `json:"simulated"`         // 1: the node's sensors are simulated, else 0. A number, since hearth stores only numbers of a node
}

// The states of a node.
const (
	Online  = "online"
	Offline = "offline"
)

var errStatus = errors.New(`a status is {"state":"online"} or {"state":"offline"}`)

const maxNumbers = 32 // in a status

// DecodeStatus decodes a NodeStatus. It also accepts the formats of earlier versions and
// of other agents: the state without JSON, "status" instead of "state", or "online" as a
// boolean. numbers are all keys with a number, at most 32. Only State, Boot and Problem of
// s are set.
func DecodeStatus(payload []byte) (s NodeStatus, numbers map[string]float64, err error) {
	s.State = strings.ToLower(string(payload))
	if len(payload) > 0 && payload[0] == '{' {
		if s, numbers, err = decodeStatus(scan.New(payload)); err != nil {
			return NodeStatus{}, nil, err
		}
	}
	if s.State != Online && s.State != Offline {
		return NodeStatus{}, nil, errStatus
	}
	return s, numbers, nil
}

func decodeStatus(doc *scan.Scanner) (s NodeStatus, numbers map[string]float64, err error) {
	err = doc.Object(func(key []byte) error {
		switch k := string(key); {
		case k == "state" || k == "status":
			text, err := doc.Text()
			s.State = strings.ToLower(string(text))
			return err
		case k == Online:
			yes, err := doc.Bool()
			s.State = map[bool]string{true: Online, false: Offline}[yes]
			return err
		case k == "boot":
			text, err := doc.Text()
			s.Boot = string(text)
			return err
		case k == "problem" && doc.Kind() == scan.String:
			text, err := doc.Text()
			s.Problem = string(text)
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
	return s, numbers, errors.Join(err, doc.End())
}
