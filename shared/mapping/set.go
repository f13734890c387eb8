package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/computed"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/topic"
)

// Set holds the compiled section devices of hearth.yml. It is safe for concurrent use.
type Set struct {
	rules        []*rule
	devices      []store.DeviceSetting
	measurements []catalogue.Measurement
	computed     *computed.Set
	zone         *time.Location
	fromFile     bool
	news         atomic.Bool // a rule found one of its paths for the first time

	mu      sync.Mutex
	byTopic map[string][]*rule
}

const maxPhysical = 500 // bytes; PostgreSQL can index 2,700

const maxTopics = 8192 // topics whose rules are cached

// Parse reads hearth.yml and compiles its section devices. The error names all
// mistakes, also those of other sections.
func Parse(file []byte) (*Set, error) {
	f := settings.Parse(file)
	s := Compile(f)
	s.CheckNames(f, f.Mistake)
	if err := f.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// Compile compiles the section devices of f, and notes its mistakes in f. It leaves
// out entries with mistakes. It adds the mappings that were saved on the page, without those
// that have mistakes, and those for topics that f maps: hearth.yml wins.
func Compile(f *settings.File) *Set {
	s := &Set{zone: f.House.Zone.Location(), fromFile: !f.Absent, byTopic: map[string][]*rule{}}
	ms := &measurements{own: map[string]*catalogue.Measurement{}}
	var fields []computedField
	for i := range f.Devices {
		path := fmt.Sprintf("devices[%d]", i)
		if !f.Broken(path) {
			fields = append(fields, s.add(entry{&f.Devices[i], f, path}, ms)...)
		}
	}
	s.finishComputed(fields)
	for _, text := range f.Saved {
		s.addSaved(text, f.House, ms)
	}
	for _, name := range slices.Sorted(maps.Keys(ms.own)) {
		s.measurements = append(s.measurements, *ms.own[name])
	}
	return s
}

// entry is one element of the section devices, with the file to note mistakes in.
type entry struct {
	*settings.Device
	file *settings.File
	path string
}

// wrong notes err as a mistake at a key of the entry, and reports whether err is not
// nil.
func (e entry) wrong(key string, err error) bool {
	if err != nil {
		e.file.Mistake(e.path+key, "%s", err)
	}
	return err != nil
}

// addSaved adds the mappings of a text. The names and rooms of their devices are saved beside.
func (s *Set) addSaved(text string, house settings.House, ms *measurements) {
	f := settings.Parse([]byte("devices:\n" + text))
	f.House = house
	mine := s.rules
	for i := range f.Devices {
		e := entry{&f.Devices[i], f, fmt.Sprintf("devices[%d]", i)}
		if len(e.Topic) == 0 || f.Err() != nil || slices.ContainsFunc(mine, func(r *rule) bool { return r.overlaps(e.Topic) }) {
			continue
		}
		if r := e.compile(ms); r != nil {
			s.rules = append(s.rules, r)
		}
	}
}

// overlaps reports whether the rule has one of the filters, or matches one that is a topic.
func (r *rule) overlaps(filters []string) bool {
	return slices.ContainsFunc(r.filters, func(f string) bool {
		return slices.ContainsFunc(filters, func(o string) bool { return f == o || topic.Match(f, o) })
	})
}

// add adds an entry: the settings of its device, and its mapping if it has a topic. It
// returns the fields of an entry without one.
func (s *Set) add(e entry, ms *measurements) []computedField {
	name := ""
	if len(e.Device.Device) == 1 {
		name = e.Device.Device[0]
	}
	literal := isLiteral(name)
	switch {
	case literal && device.ID(name) != name:
		e.wrong(".device", fmt.Errorf("the device id %q may have only lower-case letters, digits, - and _: write %q", name, device.ID(name)))
		return nil
	case !literal && (len(e.Physical) > 0 || e.Room != "" || e.Name != "" || !e.Maintenance.IsZero()):
		e.wrong("", errors.New("name, room, physical and maintenance need the id of one device"))
		return nil
	case len(e.Topic) == 0 && !literal:
		e.wrong("", errors.New("an entry needs the id of a device, or a topic to map messages"))
		return nil
	case len(e.Topic) > 0 && e.MaxAge != 0:
		e.wrong(".max_age", errors.New("max_age is only for fields that are computed from devices, in an entry without a topic"))
		return nil
	}
	bad := e.wrong(".name", device.CheckName(e.Name))
	bad = e.wrong(".room", device.CheckName(e.Room)) || bad
	physical := slices.Clone(e.Physical)
	for i, p := range physical {
		if strings.HasPrefix(strings.ToLower(p), "0x") {
			physical[i] = strings.ToLower(p) // an IEEE address; the function zigbee stores them in lower case
		}
		bad = e.wrong(fmt.Sprintf(".physical[%d]", i), checkPhysical(p)) || bad
	}
	if literal && !bad {
		d := store.DeviceSetting{Device: name, Name: e.Name, Room: e.Room, Kind: "mapped", Physical: physical, Maintenance: e.Maintenance}
		if len(e.Topic) > 0 {
			d.Physical = append(d.Physical, store.MappedID(d.Device))
		}
		e.wrong(".physical", s.addDevice(d))
	}
	if len(e.Topic) == 0 {
		return s.addComputed(e, ms)
	}
	if r := e.compile(ms); r != nil {
		s.rules = append(s.rules, r)
	}
	return nil
}

func checkPhysical(p string) error {
	if len(p) > maxPhysical {
		return fmt.Errorf("the physical id %.40q… is longer than %d bytes", p, maxPhysical)
	}
	return device.CheckName(p)
}

// addDevice adds the settings of a device to those of other entries for the same
// device. It returns an error if another device has the same physical id.
func (s *Set) addDevice(d store.DeviceSetting) error {
	var old *store.DeviceSetting
	for i := range s.devices {
		o := &s.devices[i]
		if o.Device == d.Device {
			old = o
			continue
		}
		for _, p := range d.Physical {
			if slices.Contains(o.Physical, p) {
				return fmt.Errorf("the physical id %s belongs to both %s and %s", p, o.Device, d.Device)
			}
		}
	}
	if old == nil {
		s.devices = append(s.devices, d)
		return nil
	}
	old.Name, old.Room = cmp.Or(d.Name, old.Name), cmp.Or(d.Room, old.Room)
	if !d.Maintenance.IsZero() {
		old.Maintenance = d.Maintenance
	}
	for _, p := range d.Physical {
		if !slices.Contains(old.Physical, p) {
			old.Physical = append(old.Physical, p)
		}
	}
	return nil
}

// NewFilters returns the topic filters of mappings whose hash is not among known: of
// new and changed ones.
func (s *Set) NewFilters(known []string) (out []string) {
	for _, r := range s.rules {
		for _, f := range r.filters {
			if !slices.Contains(known, r.hash) && !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}

// Hashes returns the hashes of all mappings, sorted. Mappings that map alike have one.
func (s *Set) Hashes() []string {
	out := []string{}
	for _, r := range s.rules {
		out = append(out, r.hash)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// FromFile reports whether there was a file that s was compiled from.
func (s *Set) FromFile() bool { return s.fromFile }

// Zone returns the house's time zone, for times without one. It is never nil.
func (s *Set) Zone() *time.Location { return s.zone }

// Measurements returns the measurements that mappings add or extend, with all their
// fields. The caller must not change them.
func (s *Set) Measurements() []catalogue.Measurement { return s.measurements }

// Get returns the declaration of a measurement: as mappings extend it, else the
// catalogue's.
func (s *Set) Get(name string) (catalogue.Measurement, bool) {
	for _, m := range s.measurements {
		if m.Name == name {
			return m, true
		}
	}
	return catalogue.Get(name)
}
