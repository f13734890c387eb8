package function

import (
	"fmt"
	"sync"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/scan"
)

// measurementOf returns what an edge reading is of: as the reading says, or where it
// says nothing, as older agents and their spools do, as the catalogue says of the
// kind of sensor. It is empty where neither knows: then the fields tell.
func measurementOf(kind, says []byte) (string, error) {
	known, ok := catalogue.OfKind(string(kind))
	switch {
	case len(says) == 0 || string(says) == known:
		return known, nil
	case ok:
		return "", fmt.Errorf("its measurement is %.40q, but that of the sensor kind %s is %s", says, kind, known)
	}
	for _, name := range catalogue.FromSensors() {
		if string(says) == name { // of a kind that is newer than this program
			return name, nil
		}
	}
	return "", fmt.Errorf("its measurement is %.40q, which no sensor brings", says)
}

const maxKeys = 4096 // that are remembered of a measurement

// fields finds declarations by the bytes of a key.
type fields struct {
	mu sync.Mutex
	m  map[string]*declared
}

// declared is what is known of one measurement's keys. Parts make them many.
type declared struct {
	m    catalogue.Measurement
	mu   sync.RWMutex
	keys map[string]*key
}

type key struct {
	key   string
	field *catalogue.Field
}

func newFields() *fields { return &fields{m: map[string]*declared{}} }

func (f *fields) of(measurement string) *declared {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := f.m[measurement]
	if d == nil {
		m, _ := catalogue.Get(measurement)
		d = &declared{m: m, keys: map[string]*key{}}
		f.m[measurement] = d
	}
	return d
}

// get returns the declaration of a key, nil if there is none.
func (d *declared) get(k []byte) *key {
	d.mu.RLock()
	known, ok := d.keys[string(k)]
	d.mu.RUnlock()
	if ok {
		return known
	}
	name := string(k)
	if catalogue.Key(name) == name {
		if f, ok := d.m.Field(name); ok && name != catalogue.Quality {
			known = &key{name, &f}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.keys) < maxKeys {
		d.keys[name] = known
	}
	return known
}

// guess returns the measurement that knows most of an object's keys.
func (f *fields) guess(object []byte) string {
	best, most := "", -1
	for _, name := range catalogue.FromSensors() {
		known, n := f.of(name), 0
		s := scan.New(object)
		if s.Object(func(k []byte) error {
			if known.get(k) != nil {
				n++
			}
			return s.Skip()
		}) == nil && n > most {
			best, most = name, n
		}
	}
	return best
}
