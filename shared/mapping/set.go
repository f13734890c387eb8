package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// Set is what hearth.yml says of devices, checked. It is safe for concurrent use.
type Set struct {
	rules        []*rule
	devices      []store.DeviceSetting
	measurements []catalogue.Measurement
	zone         *time.Location

	mu      sync.Mutex
	byTopic map[string][]*rule
}

const maxPhysical = 500 // bytes: PostgreSQL's index takes 2,700

const maxTopics = 8192 // whose rules are remembered

// Parse reads hearth.yml. Its error names all mistakes, those of other sections
// too.
func Parse(file []byte) (*Set, error) {
	f := settings.Parse(file)
	s := Compile(f)
	s.CheckNames(f, f.Mistake)
	if err := f.Err(); err != nil {
		return nil, err
	}
	return s, nil
}

// Compile makes of the section "devices" what messages are mapped by. It notes
// what is wrong with it in f.
func Compile(f *settings.File) *Set {
	s := &Set{zone: f.House.Zone.Location(), byTopic: map[string][]*rule{}}
	ms := &measurements{own: map[string]*catalogue.Measurement{}}
	for i := range f.Devices {
		path := fmt.Sprintf("devices[%d]", i)
		if !f.Broken(path) {
			s.add(entry{&f.Devices[i], f, path}, ms)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ms.own)) {
		s.measurements = append(s.measurements, *ms.own[name])
	}
	return s
}

// entry is one element of the section, and where its mistakes are noted.
type entry struct {
	*settings.Device
	file *settings.File
	path string
}

// wrong notes an error, if there is one, at a key of the entry.
func (e entry) wrong(key string, err error) bool {
	if err != nil {
		e.file.Mistake(e.path+key, "%s", err)
	}
	return err != nil
}

// ownID is the physical id of a device that a mapping names outright.
func ownID(name string) string { return "hearth.yml/" + name }

func (s *Set) add(e entry, ms *measurements) {
	literal := e.Device.Device != "" && !strings.ContainsAny(e.Device.Device, "${")
	switch name := e.Device.Device; {
	case literal && device.Slug(name) != name:
		e.wrong(".device", fmt.Errorf("the device %q is not made of small letters, digits, - and _: write %q", name, device.Slug(name)))
		return
	case !literal && (len(e.Physical) > 0 || e.Room != "" || e.Name != "" || !e.Maintenance.IsZero()):
		e.wrong("", errors.New("a name, room, physical id or maintenance needs the id of one device"))
		return
	case len(e.Topic) == 0 && (!literal || len(e.Fields)+len(e.Text) > 0):
		e.wrong("", errors.New("it needs a device, and to map fields a topic"))
		return
	}
	bad := e.wrong(".name", device.CheckName(e.Name))
	bad = e.wrong(".room", device.CheckName(e.Room)) || bad
	physical := slices.Clone(e.Physical)
	for i, p := range physical {
		if strings.HasPrefix(strings.ToLower(p), "0x") {
			physical[i] = strings.ToLower(p) // an ieee address, as the bridge's list is read
		}
		bad = e.wrong(fmt.Sprintf(".physical[%d]", i), checkPhysical(p)) || bad
	}
	if literal && !bad {
		d := store.DeviceSetting{Device: e.Device.Device, Name: e.Name, Room: e.Room, Kind: "mapped", Physical: physical, Maintenance: e.Maintenance}
		if len(e.Topic) > 0 {
			d.Physical = append(d.Physical, ownID(d.Device))
		}
		e.wrong(".physical", s.set(d))
	}
	if len(e.Topic) == 0 {
		return
	}
	if r := e.compile(ms); r != nil {
		s.rules = append(s.rules, r)
	}
}

func checkPhysical(p string) error {
	if len(p) > maxPhysical {
		return fmt.Errorf("the physical id %.40q… is longer than %d bytes", p, maxPhysical)
	}
	return device.CheckName(p)
}

// set unites what several entries say of one device.
func (s *Set) set(d store.DeviceSetting) error {
	var old *store.DeviceSetting
	for i := range s.devices {
		o := &s.devices[i]
		if o.Device == d.Device {
			old = o
			continue
		}
		for _, p := range d.Physical {
			if slices.Contains(o.Physical, p) {
				return fmt.Errorf("%s is %s as well as %s", p, o.Device, d.Device)
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

// Fresh are the filters of mappings that were not among known, which Sources
// returned, or were otherwise.
func (s *Set) Fresh(known []string) (out []string) {
	for _, r := range s.rules {
		for _, f := range r.filters {
			if !slices.Contains(known, r.source) && !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}

// Sources returns what tells each mapping from any other, sorted.
func (s *Set) Sources() []string {
	out := []string{}
	for _, r := range s.rules {
		out = append(out, r.source)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Zone is the house's, of a time that names none.
func (s *Set) Zone() *time.Location { return s.zone }

// Measurements are those that mappings declare or extend, whole.
func (s *Set) Measurements() []catalogue.Measurement { return s.measurements }

// Get returns the declaration of a measurement: as mappings extend it, or the
// catalogue's own.
func (s *Set) Get(name string) (catalogue.Measurement, bool) {
	for _, m := range s.measurements {
		if m.Name == name {
			return m, true
		}
	}
	return catalogue.Get(name)
}
