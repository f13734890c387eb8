package function

import (
	"fmt"
	"sync"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/scan"
)

// measurementOf returns the measurement of an edge reading: the one that the reading
// names, else the catalogue's for the kind of sensor. Older agents, and readings in
// their spools, name none. The result is "" if neither is known; then the keys of the
// fields decide, by guess.
func measurementOf(kind, named []byte) (string, error) {
	known, ok := catalogue.OfKind(string(kind))
	switch {
	case len(named) == 0 || string(named) == known:
		return known, nil
	case ok:
		return "", fmt.Errorf("its measurement is %.40q, but that of the sensor kind %s is %s", named, kind, known)
	}
	for _, name := range catalogue.FromSensors() {
		if string(named) == name { // the kind of sensor is newer than this program
			return name, nil
		}
	}
	return "", fmt.Errorf("its measurement is %.40q, which no sensor brings", named)
}

const maxKeys = 4096 // keys of a measurement that are cached

// fields caches the declarations of fields by the bytes of their key. It is safe for
// concurrent use.
type fields struct {
	mu sync.Mutex
	m  map[string]*knownKeys
}

// knownKeys are the cached keys of one measurement. Fields with parts, as in
// disk_<name>_free_bytes, have many.
type knownKeys struct {
	m    catalogue.Measurement
	mu   sync.RWMutex
	keys map[string]*key
}

type key struct {
	key   string
	field *catalogue.Field
}

func newFields() *fields { return &fields{m: map[string]*knownKeys{}} }

func (f *fields) keysOf(measurement string) *knownKeys {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := f.m[measurement]
	if d == nil {
		m, _ := catalogue.Get(measurement)
		d = &knownKeys{m: m, keys: map[string]*key{}}
		f.m[measurement] = d
	}
	return d
}

// get returns the declaration of a key, nil if it has none.
func (d *knownKeys) get(k []byte) *key {
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

// guess returns the measurement that declares most of an object's keys.
func guess(object []byte) string {
	var keys []string
	s := scan.New(object)
	if s.Object(func(k []byte) error {
		if name := string(k); catalogue.Key(name) == name { // others cannot be stored
			keys = append(keys, name)
		}
		return s.Skip()
	}) != nil {
		return ""
	}
	name, _ := catalogue.Guess(keys, nil)
	return name
}
