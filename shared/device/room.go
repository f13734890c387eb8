package device

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/printable"
	"github.com/hearth-home/hearth/shared/store"
)

const (
	maxDevices = 2000   // of a function: each is a series
	maxMetrics = 250    // of a device
	maxSeries  = 50_000 // metrics of the devices of a function
)

// errFull is the error of a register that takes no more devices or metrics.
var errFull = errors.New("no room in the register")

// fullError is errFull for a publisher. Its text is the same for all messages of the
// publisher, so that their dead letters have one cause.
type fullError struct {
	what  string // devices or metrics
	level string // the level of the publisher that takes the room; "": many take it
	new   bool   // no further publisher has room
}

func (e *fullError) Error() string {
	switch {
	case e.new:
		return errFull.Error() + " for " + e.what + " of further publishers: see which there are, and make room, with: hearth device forget '*' --dry-run"
	case e.level == "":
		return errFull.Error() + " for more " + e.what + ": see which there are, and make room, with: hearth device forget '*' --dry-run"
	}
	return fmt.Sprintf("%s for more %s of %s/#: make room with: hearth device forget --from %s --dry-run", errFull, e.what, printable.Line(e.level), printable.Shell(e.level))
}

func (e *fullError) Unwrap() error { return errFull }

// PublisherOf returns who publishes on a topic: the topic up to its second level. Of an
// edge agent that is the node.
func PublisherOf(topic string) string {
	const most = 120 // bytes
	n := 0
	for i := 1; i < len(topic); i++ {
		if topic[i] == '/' {
			if n++; n == 2 {
				topic = topic[:i]
				break
			}
		}
	}
	return strings.ToValidUTF8(topic[:min(len(topic), most)], "")
}

const own = "hearth" // the first level of all nodes' topics, so it is no level that limits them

// levels returns the levels of a publisher, each of which is limited: home and
// home/kitchen. A node is one level.
func levels(publisher string) []string {
	if publisher == "" {
		return nil
	}
	slash := strings.IndexByte(publisher[1:], '/') + 1
	if slash == 0 || publisher[:slash] == own {
		return []string{publisher}
	}
	return []string{publisher[:slash], publisher}
}

// TopOf returns the first level of a publisher: what its devices have in common. It is ""
// if the publisher is.
func TopOf(publisher string) string {
	if ls := levels(publisher); len(ls) > 0 {
		return ls[0]
	}
	return ""
}

// room is the room of one function for its devices, or for their metrics. No publisher
// may take more than what it leaves free: so one alone gets half of the room at most,
// two a third each. The same holds for the second level of a topic within the first.
// There may be a quarter as many publishers as there is free room. So there is room
// left for further devices of a publisher that has few.
type room struct {
	what string
	most int
	used int
	by   map[string]int // by level of publishers
	tops int            // first levels
}

func newRoom(what string, most int) *room { return &room{what: what, most: most, by: map[string]int{}} }

// add counts n more devices or metrics of a publisher.
func (r *room) add(publisher string, n int) {
	r.used += n
	for i, l := range levels(publisher) {
		if r.by[l] += n; i == 0 && r.by[l] == n && n > 0 {
			r.tops++
		}
	}
}

// check returns an error if there is no room for n more of a publisher. A publisher
// without a name is limited only by the room itself.
func (r *room) check(publisher string, n int) error {
	free := r.most - r.used
	if n > free {
		return &fullError{what: r.what}
	}
	above, named := r.used, ""
	for i, l := range levels(publisher) {
		has := r.by[l]
		if i == 0 && has == 0 && r.tops >= free/4 {
			return &fullError{what: r.what, new: true}
		}
		if has*4 > above { // else others take the room
			named = l
		}
		if has+n > free {
			return &fullError{what: r.what, level: named}
		}
		free, above = free-has, has
	}
	return nil
}

// rooms are the rooms of all functions that register devices.
type rooms struct {
	devices, metrics map[string]*room // by function
}

func newRooms() rooms { return rooms{map[string]*room{}, map[string]*room{}} }

func (r rooms) devicesOf(function string) *room {
	return roomOf(r.devices, function, "devices", maxDevices)
}
func (r rooms) metricsOf(function string) *room {
	return roomOf(r.metrics, function, "metrics", maxSeries)
}

func roomOf(of map[string]*room, function, what string, most int) *room {
	if of[function] == nil {
		of[function] = newRoom(what, most)
	}
	return of[function]
}

// functionOf returns the function whose room a kind of devices takes.
func functionOf(kind string) string { return catalogue.DeviceKindOf(kind).Function }

// vacancies are the devices without a physical id: a new thing of the same kind and
// name, or with the same id, takes their place and needs no room.
type vacancies map[vacancy]bool

type vacancy struct{ kind, name, id string }

// vacanciesOf takes all physical ids, earlier ones too.
func vacanciesOf(devices []store.Device, ids []store.DeviceID) vacancies {
	bound := map[string]bool{}
	for _, id := range ids {
		if id.Until.IsZero() {
			bound[id.Device] = true
		}
	}
	out := vacancies{}
	kinds := map[string]string{}
	for _, d := range devices {
		if !bound[d.ID] {
			out[vacancy{id: d.ID}] = true
			kinds[d.ID] = d.Kind
		}
	}
	for _, id := range ids {
		if kind, free := kinds[id.Device]; free {
			out[vacancy{kind: kind, name: id.Name}] = true
		}
	}
	return out
}

// take reports whether a request gets a device that has no physical id.
func (v vacancies) take(r *store.DeviceRequest) bool {
	for _, at := range []vacancy{{kind: r.Kind, name: r.Name}, {id: r.Device}} {
		if v[at] {
			delete(v, at)
			return true
		}
	}
	return false
}
