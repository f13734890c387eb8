package kinds

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/nearest"
	"github.com/hearth-home/hearth/shared/secret"
)

// common holds the settings of every sensor.
type common struct {
	Kind     string        `env:"KIND"`     // one of Names
	Device   string        `env:"DEVICE"`   // name of the device; its history belongs to this name alone
	Interval time.Duration `env:"INTERVAL"` // between readings
	Every    time.Duration `env:"EVERY"`    // between the samples of a reading
	Combine  string        `env:"COMBINE"`  // how samples are combined: median or mean
	Deadline time.Duration `env:"DEADLINE"` // of one sample
}

var (
	variable = regexp.MustCompile(`^SENSOR_(\d{1,3})_(\w+)$`)
	// ValidName reports whether a node or a device may have a name. The name becomes a
	// level of an MQTT topic.
	ValidName = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,62}$`).MatchString
)

// Parse reads the sensors from the variables SENSOR_n_NAME. The numbers n need not be
// consecutive. Simulated sensors may have intervals that real ones cannot keep. The error
// lists all mistakes.
func Parse(vars map[string]string, secrets *secret.Folder, simulated bool) ([]driver.Sensor, error) {
	numbers := map[int]bool{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if m := variable.FindStringSubmatch(name); m != nil {
			n, _ := strconv.Atoi(m[1]) // three digits
			numbers[n] = true
		} else if strings.HasPrefix(name, "SENSOR_") {
			errs = append(errs, fmt.Errorf("%s: settings of a sensor have names like SENSOR_0_KIND and SENSOR_0_DEVICE", name))
		}
	}
	var sensors []driver.Sensor
	devices := map[string]int{}
	for _, n := range slices.Sorted(maps.Keys(numbers)) {
		s, err := parse(n, vars, secrets, simulated)
		if first, ok := devices[s.Device]; ok && s.Device != "" {
			err = errors.Join(err, fmt.Errorf("SENSOR_%d_DEVICE: %s is already the device of SENSOR_%d", n, s.Device, first))
		}
		devices[s.Device] = n
		errs = append(errs, err)
		sensors = append(sensors, s)
	}
	return sensors, errors.Join(errs...)
}

// parse reads sensor number n. The error lists all its mistakes.
func parse(n int, vars map[string]string, secrets *secret.Folder, simulated bool) (driver.Sensor, error) {
	prefix := fmt.Sprintf("SENSOR_%d_", n)
	opts := env.Options{
		Environment: vars, Prefix: prefix,
		FuncMap: map[reflect.Type]env.ParserFunc{
			reflect.TypeFor[secret.String](): func(name string) (any, error) { return secrets.Get(name), nil },
		},
	}
	var c common
	errs := parseErrors(prefix, vars, env.ParseWithOptions(&c, opts))
	k, ok := find(c.Kind)
	s := driver.Sensor{
		Number: n, Kind: k, Device: c.Device, Interval: cmp.Or(c.Interval, k.Interval), Every: c.Every,
		Combine: cmp.Or(c.Combine, k.Combine), Deadline: cmp.Or(c.Deadline, k.Deadline),
	}
	if !ok {
		return s, errors.Join(append(errs, noKind(c.Kind, prefix, vars))...)
	}
	if s.Device == "" && k.Name != "host" || s.Device != "" && !ValidName(s.Device) {
		errs = append(errs, fmt.Errorf("%sDEVICE: %q is not a valid name: small letters, digits, dot, - and _", prefix, s.Device))
	}
	if s.Device == "status" || s.Device == "stored" {
		errs = append(errs, fmt.Errorf("%sDEVICE: the name %s is reserved", prefix, s.Device))
	}
	// The kind's time between samples is the default only if it fits into the interval.
	if _, set := vars[prefix+"EVERY"]; !set && k.Every < s.Interval {
		s.Every = k.Every
	}
	s.Settings = k.Settings()
	errs = append(errs, parseErrors(prefix, vars, env.ParseWithOptions(s.Settings, opts))...)
	errs = append(errs, unknownSettings(prefix, vars, &c, s.Settings)...)
	if len(errs) == 0 {
		errs = append(errs, check(&s, prefix, simulated)...)
	}
	return s, errors.Join(errs...)
}

// noKind returns the error of a sensor whose kind is missing or unknown. It names what was
// probably meant: the kind, or the variable.
func noKind(kind, prefix string, vars map[string]string) error {
	if meant := nearest.Of(kind, Names()); meant != "" {
		return fmt.Errorf("%sKIND: %q is not one of %s: did you mean %s?", prefix, kind, strings.Join(Names(), ", "), meant)
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if word, ok := strings.CutPrefix(name, prefix); ok && kind == "" && nearest.Of(word, []string{"KIND"}) != "" {
			return fmt.Errorf("%s: there is no such setting: did you mean %sKIND?", name, prefix)
		}
	}
	return fmt.Errorf("%sKIND: %q is not one of %s", prefix, kind, strings.Join(Names(), ", "))
}

// check checks a sensor's times and its kind's settings. It lets the kind adapt the
// times to its settings.
func check(s *driver.Sensor, prefix string, simulated bool) (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(prefix+format, args...)) }
	switch {
	case !simulated && s.Interval < 200*time.Millisecond || s.Interval <= 0:
		bad("INTERVAL: %v is shorter than 200ms", s.Interval)
	case s.Every < 0 || s.Every > s.Interval:
		bad("EVERY: %v is not between 0 and the interval of %v", s.Every, s.Interval)
	case s.Combine != "" && s.Combine != "median" && s.Combine != "mean":
		bad("COMBINE: %q is neither median nor mean", s.Combine)
	case s.Deadline < 0:
		bad("DEADLINE: %v is negative", s.Deadline)
	}
	if !simulated {
		if err := s.Fit(); err != nil {
			bad("%w", err)
		}
	}
	if err := s.Check(); err != nil {
		bad("KIND %w", err)
	}
	return errs
}

// parseErrors splits the parser's error into one error for each variable, with the
// variable's full name.
func parseErrors(prefix string, vars map[string]string, err error) (errs []error) {
	if err == nil {
		return nil
	}
	all, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return []error{fmt.Errorf("%s: %w", prefix, err)}
	}
	for _, e := range all.Errors {
		if p, ok := errors.AsType[env.ParseError](e); ok {
			name := prefix + envName(p.Name)
			e = config.Malformed(name, vars[name], p)
		}
		errs = append(errs, e)
	}
	return errs
}

var wordBoundary = regexp.MustCompile(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])`)

// envName converts KLAPPort to KLAP_PORT.
func envName(field string) string {
	return strings.ToUpper(wordBoundary.ReplaceAllString(field, "${1}${3}_${2}${4}"))
}

// unknownSettings returns an error for each variable of the sensor that is not a setting
// of the structs. Such a variable is mostly a typing mistake.
func unknownSettings(prefix string, vars map[string]string, structs ...any) (errs []error) {
	known := map[string]bool{}
	for _, s := range structs {
		params, err := env.GetFieldParamsWithOptions(s, env.Options{Environment: vars, Prefix: prefix})
		if err != nil {
			return []error{err}
		}
		for _, p := range params {
			known[p.Key] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if strings.HasPrefix(name, prefix) && !known[name] {
			meant := ""
			if near := nearest.Of(name, slices.Sorted(maps.Keys(known))); near != "" {
				meant = ": did you mean " + near + "?"
			}
			errs = append(errs, fmt.Errorf("%s: there is no such setting; the settings are %s%s", name, settingNames(known, prefix), meant))
		}
	}
	return errs
}

func settingNames(known map[string]bool, prefix string) string {
	var names []string
	for _, k := range slices.Sorted(maps.Keys(known)) {
		names = append(names, strings.TrimPrefix(k, prefix))
	}
	return strings.Join(names, ", ")
}
