package mapping

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/device"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/scan"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/topic"
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

// OwnID is the physical id of a device that a mapping names outright.
func OwnID(name string) string { return "hearth.yml/" + name }

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
			d.Physical = append(d.Physical, OwnID(d.Device))
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

// Found is what a message says of one device.
type Found struct {
	Physical    string
	Name        string // what its source calls it
	Measurement string
	Values      []device.Value
	Text        map[string]string
	Time        time.Time // zero: the message's arrival
	Quality     quality.Quality
	Reason      string
}

// Find maps a message. ok is false where no mapping wants its topic. An error
// names what is wrong with it; what is found beside is good.
func (s *Set) Find(on string, payload []byte) (found []Found, ok bool, err error) {
	var errs []error
	rules := s.of(on)
	for _, r := range rules {
		fs, err := r.find(on, payload)
		found, errs = append(found, fs...), append(errs, err)
	}
	return found, len(rules) > 0, errors.Join(errs...)
}

func (s *Set) of(on string) []*rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	rules, ok := s.byTopic[on]
	if ok {
		return rules
	}
	for _, r := range s.rules {
		if slices.ContainsFunc(r.filters, func(f string) bool { return topic.Match(f, on) }) {
			rules = append(rules, r)
		}
	}
	if len(s.byTopic) < maxTopics {
		s.byTopic[on] = rules
	}
	return rules
}

const maxElements = 1000 // of a list in one message

func (r *rule) find(on string, payload []byte) (found []Found, err error) {
	if !r.hasEach {
		f, err := r.one(on, "", payload)
		if f == nil {
			return nil, err
		}
		return []Found{*f}, err
	}
	var errs []error
	n := 0
	err = elements(payload, r.each, func(key string, element []byte) error {
		if n++; n > maxElements {
			return errElements
		}
		f, err := r.one(on, key, element)
		if f != nil {
			found = append(found, *f)
		}
		errs = append(errs, err)
		return nil
	})
	return found, errors.Join(append(errs, err)...)
}

var (
	errNone     = errors.New("none of the mapped fields is in it")
	errElements = fmt.Errorf("there are more than %d elements", maxElements)
)

// one maps a payload, or an element of it, of one device.
func (r *rule) one(on, key string, doc []byte) (*Found, error) {
	at := make([][]byte, r.slots)
	s := scan.New(doc)
	if err := cmp.Or(r.paths.find(s, at), s.End()); err != nil {
		if !r.whole {
			return nil, err
		}
		at = make([][]byte, r.slots)
		quoted, _ := json.Marshal(string(doc[:min(len(doc), 1<<10)])) // a text is always JSON
		if r.paths.find(scan.New(quoted), at) != nil {
			return nil, err
		}
	}
	f := &Found{Measurement: r.measurement}
	if err := r.name(f, on, key, at); err != nil {
		return nil, err
	}
	if r.timeSlot >= 0 {
		if said := string(at[r.timeSlot]); said != "" && said != "null" && said != `""` { // else arrival
			t, err := ParseTime(text(at[r.timeSlot]), r.zone)
			if err != nil {
				return nil, err
			}
			f.Time = t
		}
	}
	var errs []error
	for _, m := range r.fields {
		if at[m.slot] == nil {
			continue
		}
		v, ok, err := number(at[m.slot], m.words)
		if v = m.unit.Convert(v*m.factor + m.offset); err == nil && (math.IsInf(v, 0) || math.IsNaN(v)) {
			err = errors.New("with its factor it is beyond what a number can be")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.key, err))
		} else if ok {
			f.Values = append(f.Values, device.Value{Key: m.key, V: v, Field: m.field})
		}
	}
	for _, t := range r.texts {
		if s := text(at[t.slot]); s != "" {
			if f.Text == nil {
				f.Text = map[string]string{}
			}
			f.Text[t.key] = s
		}
	}
	if len(f.Values)+len(f.Text) == 0 {
		return nil, errors.Join(append(errs, errNone)...)
	}
	return f, errors.Join(errs...)
}

// name finds which device it is.
func (r *rule) name(f *Found, on, key string, at [][]byte) error {
	switch {
	case r.deviceSlot >= 0:
		if f.Name = text(at[r.deviceSlot]); f.Name == "" {
			return fmt.Errorf("there is no device at %s", r.device)
		}
	case r.device == "":
		f.Name = topic.Name(on)
		f.Physical = "topic/" + on
		if key != "" {
			f.Name += "-" + key
			f.Physical += "/" + key
		}
		return nil
	case strings.Contains(r.device, "{"):
		var err error
		if f.Name, err = filled(r.device, strings.Split(strings.TrimPrefix(on, "/"), "/"), key); err != nil {
			return err
		}
	default:
		f.Name, f.Physical = r.device, OwnID(r.device)
		return nil
	}
	f.Physical = "mapped/" + f.Name
	return nil
}

// filled puts levels of a topic, counted from 1, and a list's key into a name.
func filled(name string, levels []string, key string) (string, error) {
	var b strings.Builder
	for rest := name; ; {
		before, after, open := strings.Cut(rest, "{")
		b.WriteString(before)
		if !open {
			return b.String(), nil
		}
		what, behind, _ := strings.Cut(after, "}")
		part := key
		if what != "key" {
			part = ""
			if n, err := strconv.Atoi(what); err == nil && n >= 1 && n <= len(levels) {
				part = levels[n-1]
			}
		}
		if part == "" {
			return "", fmt.Errorf("there is no {%s} for the device %s", what, name)
		}
		b.WriteString(part)
		rest = behind
	}
}
