package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/window"
	"github.com/hearth-home/hearth/shared/wire"
)

// clockUnsynced is the quality of a reading whose time is unknown.
const clockUnsynced = "clock_unsynced"

// record is a reading as it is kept in memory and on disk. While the clock is not
// set, Held is its monotonic time, from which timekeeper derives the wall time later.
type record struct {
	wire.Reading
	Node string     `json:"node"`
	Held *monotonic `json:"held,omitempty"`
}

// monotonic is a time since the start of the kernel that runs as Kernel.
type monotonic struct {
	Kernel string        `json:"kernel"`
	Mono   time.Duration `json:"mono"`
}

func (r *record) key() window.Key { return window.Key{Boot: r.Boot, Seq: r.Seq} }
func (r *record) topic() string   { return wire.ReadingTopic(r.Node, r.Device) }

// size estimates the bytes of the record in memory.
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

// encode returns the record as JSON for the disk.
func (r *record) encode() ([]byte, error) { return json.Marshal(r) }

// payload returns the MQTT payload: the reading as JSON.
func (r *record) payload() ([]byte, error) { return json.Marshal(r.Reading) }

// decodeRecord is the inverse of encode.
func decodeRecord(data []byte) (*record, error) {
	r := &record{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("decode a record of the spool: %w", err)
	}
	if r.Device == "" || r.Boot == "" || r.Seq == 0 || r.Node == "" {
		return nil, errors.New("decode a record of the spool: node, device, boot or seq is missing")
	}
	return r, nil
}

// markUnsynced drops the reading's time, which is unknown, and says so in its quality.
// An earlier quality moves into the reason.
func (r *record) markUnsynced() {
	if r.Quality != string(driver.OK) && r.Quality != clockUnsynced {
		r.Reason = r.Quality + ": " + r.Reason
	}
	r.Quality, r.Held, r.Time = clockUnsynced, nil, ""
}

// dropNonFinite removes the numbers that JSON cannot hold (NaN, infinities), and marks
// the sample as suspect.
func dropNonFinite(s *driver.Sample) {
	for _, k := range slices.Sorted(maps.Keys(s.Fields)) {
		if v := s.Fields[k]; math.IsNaN(v) || math.IsInf(v, 0) {
			delete(s.Fields, k)
			s.Flag(driver.Suspect, "%s is not a finite number", k)
		}
	}
}
