// Package kinds holds the table of all kinds of sensors. It reads the settings of
// sensors and connects sensors to this machine's ports.
package kinds

import (
	"slices"

	"github.com/hearth-home/hearth/edge/bme280"
	"github.com/hearth-home/hearth/edge/dht22"
	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/host"
	"github.com/hearth-home/hearth/edge/kasa"
	"github.com/hearth-home/hearth/edge/mhz19b"
	"github.com/hearth-home/hearth/edge/nut"
	"github.com/hearth-home/hearth/edge/pms5003"
	"github.com/hearth-home/hearth/edge/scd4x"
	"github.com/hearth-home/hearth/edge/sds011"
	"github.com/hearth-home/hearth/edge/sgp30"
	"github.com/hearth-home/hearth/edge/soil"
)

// table lists every kind, one a line. The catalogue declares what each measures.
var table = []driver.Kind{
	bme280.Kind,
	dht22.Kind,
	host.Kind,
	kasa.Kind,
	mhz19b.Kind,
	nut.Kind,
	pms5003.Kind,
	scd4x.Kind,
	sds011.Kind,
	sgp30.Kind,
	soil.Kind,
}

// All returns every kind, in order of name.
func All() []driver.Kind { return slices.Clone(table) }

// Names returns the names of all kinds, in order.
func Names() (names []string) {
	for _, k := range table {
		names = append(names, k.Name)
	}
	return names
}

// find returns the kind with this name; ok is false if there is none.
func find(name string) (k driver.Kind, ok bool) {
	i := slices.IndexFunc(table, func(k driver.Kind) bool { return k.Name == name })
	if i < 0 {
		return k, false
	}
	return table[i], true
}
