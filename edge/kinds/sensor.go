package kinds

import (
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

	"github.com/hearth-home/hearth/shared/secret"
)

// Sensor is one sensor's settings: SENSOR_0_KIND and so on.
type Sensor struct {
	Kind     string        `env:"KIND"`     // sds011, pms5003, mhz19b, scd4x, bme280, sgp30, soil, dht22, kasa, nut or host
	Device   string        `env:"DEVICE"`   // what it is in the house: its history hangs on this name alone
	Interval time.Duration `env:"INTERVAL"` // between readings
	Every    time.Duration `env:"EVERY"`    // between the samples that a reading is made of
	Combine  string        `env:"COMBINE"`  // how: median or mean
	Deadline time.Duration `env:"DEADLINE"` // of one sample

	Number  int `env:"-"` // the n of SENSOR_n_
	Options any `env:"-"` // the kind's own settings
}

var (
	variable = regexp.MustCompile(`^SENSOR_(\d{1,3})_(\w+)$`)
	// NameOK is what a node or a device may be called: it becomes part of a topic.
	NameOK = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]{0,62}$`).MatchString
)

// Parse reads the sensors from the variables. Numbers may be left out. All
// mistakes are in the error.
func Parse(vars map[string]string, secrets *secret.Folder, simulated bool) ([]Sensor, error) {
	numbers := map[int]bool{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if m := variable.FindStringSubmatch(name); m != nil {
			n, _ := strconv.Atoi(m[1]) // three digits
			numbers[n] = true
		} else if strings.HasPrefix(name, "SENSOR_") {
			errs = append(errs, fmt.Errorf("%s: a sensor's settings are called SENSOR_0_KIND, SENSOR_0_DEVICE and so on", name))
		}
	}
	var sensors []Sensor
	devices := map[string]int{}
	for _, n := range slices.Sorted(maps.Keys(numbers)) {
		s, err := parse(n, vars, secrets, simulated)
		if first, ok := devices[s.Device]; ok && s.Device != "" {
			err = errors.Join(err, fmt.Errorf("SENSOR_%d_DEVICE: %s is SENSOR_%d already", n, s.Device, first))
		}
		devices[s.Device] = n
		errs = append(errs, err)
		sensors = append(sensors, s)
	}
	return sensors, errors.Join(errs...)
}

func parse(n int, vars map[string]string, secrets *secret.Folder, simulated bool) (Sensor, error) {
	s := Sensor{Number: n}
	prefix := fmt.Sprintf("SENSOR_%d_", n)
	opts := env.Options{
		Environment: vars, Prefix: prefix,
		FuncMap: map[reflect.Type]env.ParserFunc{
			reflect.TypeFor[secret.String](): func(name string) (any, error) { return secrets.Get(name), nil },
		},
	}
	errs := mistakes(prefix, env.ParseWithOptions(&s, opts))
	k, ok := kinds[s.Kind]
	if !ok {
		return s, errors.Join(append(errs, fmt.Errorf("%sKIND: %q is none of %s", prefix, s.Kind, strings.Join(Names(), ", ")))...)
	}
	if s.Device == "" && s.Kind != "host" || s.Device != "" && !NameOK(s.Device) {
		errs = append(errs, fmt.Errorf("%sDEVICE: %q is no device's name: small letters, digits, dot, - and _", prefix, s.Device))
	}
	if s.Device == "status" || s.Device == "stored" {
		errs = append(errs, fmt.Errorf("%sDEVICE: %s is a topic of hearth's own", prefix, s.Device))
	}
	s.Options = k.options()
	errs = append(errs, mistakes(prefix, env.ParseWithOptions(s.Options, opts))...)
	errs = append(errs, unknown(prefix, vars, &s, s.Options)...)
	if len(errs) == 0 {
		errs = append(errs, s.complete(k, vars, prefix, simulated)...)
	}
	return s, errors.Join(errs...)
}

// complete fills in the kind's defaults and checks what it can.
func (s *Sensor) complete(k kind, vars map[string]string, prefix string, simulated bool) (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(prefix+format, args...)) }
	if s.Interval == 0 {
		s.Interval = k.interval
	}
	if _, set := vars[prefix+"EVERY"]; !set && k.every < s.Interval {
		s.Every = k.every
	}
	if s.Combine == "" {
		s.Combine = k.combine
	}
	if s.Deadline == 0 {
		s.Deadline = k.deadline
	}
	switch {
	case !simulated && s.Interval < 200*time.Millisecond || s.Interval <= 0:
		bad("INTERVAL: %v is shorter than 200ms", s.Interval)
	case s.Every < 0 || s.Every > s.Interval:
		bad("EVERY: %v is not between 0 and the interval of %v", s.Every, s.Interval)
	case s.Combine != "" && s.Combine != "median" && s.Combine != "mean":
		bad("COMBINE: %q is neither median nor mean", s.Combine)
	case s.Deadline < 0:
		bad("DEADLINE: %v is in the past", s.Deadline)
	}
	if k.fit != nil && !simulated {
		if err := k.fit(s); err != nil {
			bad("%w", err)
		}
	}
	if _, err := k.open(*s, nil); err != nil {
		bad("KIND %w", err)
	}
	return errs
}

// mistakes gives each error of the parser a line of its own, with the variable's
// whole name.
func mistakes(prefix string, err error) (errs []error) {
	if err == nil {
		return nil
	}
	all, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return []error{fmt.Errorf("%s: %w", prefix, err)}
	}
	for _, e := range all.Errors {
		if p, ok := errors.AsType[env.ParseError](e); ok {
			e = fmt.Errorf("%s%s: %w", prefix, upper(p.Name), p.Err)
		}
		errs = append(errs, e)
	}
	return errs
}

var humps = regexp.MustCompile(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])`)

// upper makes KLAP_PORT of KLAPPort.
func upper(field string) string {
	return strings.ToUpper(humps.ReplaceAllString(field, "${1}${3}_${2}${4}"))
}

// unknown finds variables of the sensor that nobody reads: a slip of the pen
// would otherwise go unnoticed.
func unknown(prefix string, vars map[string]string, structs ...any) (errs []error) {
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
			errs = append(errs, fmt.Errorf("%s: there is no such setting; there are %s", name, list(known, prefix)))
		}
	}
	return errs
}

func list(known map[string]bool, prefix string) string {
	var names []string
	for _, k := range slices.Sorted(maps.Keys(known)) {
		names = append(names, strings.TrimPrefix(k, prefix))
	}
	return strings.Join(names, ", ")
}
