package agent

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/window"
	"github.com/hearth-home/hearth/shared/wire"
)

// clockUnsynced is the quality of a reading of which nobody knows the time.
const clockUnsynced = "clock_unsynced"

// record is a reading as it is kept: with its node, and while it has no time with
// the moment from which the time can be calculated.
type record struct {
	wire.Reading
	Node string  `json:"node"`
	Held *moment `json:"held,omitempty"`
}

// moment is a point in the run of a kernel.
type moment struct {
	Kernel string        `json:"kernel"`
	Mono   time.Duration `json:"mono"`
}

func (r *record) key() window.Key { return window.Key{Boot: r.Boot, Seq: r.Seq} }
func (r *record) topic() string   { return wire.ReadingTopic(r.Node, r.Device) }

// size is about how many bytes it takes in memory.
func (r *record) size() int {
	n := 256 + len(r.Reason)
	for k := range r.Fields {
		n += 48 + len(k)
	}
	for k, v := range r.Text {
		n += 64 + len(k) + len(v)
	}
	return n
}

// encode is what is kept on disk.
func (r *record) encode() ([]byte, error) { return json.Marshal(r) }

// payload is what is published.
func (r *record) payload() ([]byte, error) { return json.Marshal(r.Reading) }

// decodeRecord reads what encode wrote.
func decodeRecord(data []byte) (*record, error) {
	r := &record{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("a record of the spool: %w", err)
	}
	if r.Device == "" || r.Boot == "" || r.Seq == 0 || r.Node == "" {
		return nil, fmt.Errorf("a record of the spool has no device or number")
	}
	return r, nil
}

// unsynced gives up on the reading's time.
func (r *record) unsynced() {
	if r.Quality != string(driver.OK) && r.Quality != clockUnsynced {
		r.Reason = r.Quality + ": " + r.Reason
	}
	r.Quality, r.Held, r.Time = clockUnsynced, nil, ""
}

// tidy takes the numbers out of a sample that JSON cannot hold.
func tidy(s *driver.Sample) {
	for _, k := range slices.Sorted(maps.Keys(s.Fields)) {
		if v := s.Fields[k]; math.IsNaN(v) || math.IsInf(v, 0) {
			delete(s.Fields, k)
			s.Flag(driver.Suspect, "%s is no number", k)
		}
	}
}
