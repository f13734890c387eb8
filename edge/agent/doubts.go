package agent

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"

	"github.com/hearth-home/hearth/edge/kinds"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/nearest"
)

// doubts names the variables of the node's file that are no settings, and those of the
// environment, which has other programs' too, that are settings with a typing mistake.
func doubts(environment, file map[string]string, path string) (found []string) {
	known := append(config.Names(reflect.TypeFor[Config]()), "EDGE_CONFIG_DIR", "SECRETS_DIR", "CREDENTIALS_DIRECTORY")
	known = append(known, sensorNames()...)
	for _, name := range slices.Sorted(maps.Keys(file)) {
		switch meant := nearest.Of(name, known); {
		case slices.Contains(known, name) || strings.HasPrefix(name, "SENSOR_"): // kinds.Parse names a wrong one
		case meant != "":
			found = append(found, fmt.Sprintf("%s: %s is no setting: did you mean %s?", path, name, meant))
		default:
			found = append(found, fmt.Sprintf("%s: %s is no setting", path, name))
		}
	}
	for name := range environment {
		if _, both := file[name]; both || strings.HasPrefix(name, "SENSOR_") {
			known = append(known, name) // named already
		}
	}
	return append(found, config.Typos(environment, known)...)
}

// sensorNames returns the settings of the first ten sensors.
func sensorNames() (names []string) {
	for _, k := range kinds.All() {
		for n := range 10 {
			prefix := fmt.Sprintf("SENSOR_%d_", n)
			names = append(names, prefix+"KIND", prefix+"DEVICE", prefix+"INTERVAL", prefix+"EVERY", prefix+"COMBINE", prefix+"DEADLINE")
			params, _ := env.GetFieldParams(k.Settings()) // a test of kinds reads them all
			for _, p := range params {
				names = append(names, prefix+p.Key)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
