package kasa

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/edge/driver"
)

// plug holds the answer of a plug or strip, independent of its protocol.
type plug struct {
	outlet
	model   string
	rssi    float64
	metered bool // reports that it has a meter
	sockets []outlet
}

// outlet is a plug, or a socket of a strip.
type outlet struct {
	number    int // in its strip, from 1
	id, alias string
	on        *bool
	onSeconds *float64
	values    map[string]float64
}

const maxWatts = 4000 // above the rating of a household socket

// sample makes a sample of the plug, or of one socket if socket names one.
func (p plug) sample(socket string) (driver.Sample, error) {
	s := driver.New()
	setText(s.Text, "alias", p.alias)
	setText(s.Text, "model", p.model)
	if p.rssi != 0 {
		s.Fields["signal_dbm"] = p.rssi
	}
	switch {
	case socket != "":
		o, err := p.find(socket)
		if err != nil {
			return s, err
		}
		setText(s.Text, "alias", o.alias)
		o.add(&s, "")
	case len(p.sockets) > 0:
		p.addSum(&s)
	default:
		p.outlet.add(&s, "")
	}
	if _, ok := s.Fields["power_watts"]; p.metered && !ok {
		s.Flag(driver.Suspect, "the plug has a meter but reports no power")
	}
	s.FlagOutOfRange()
	return s, nil
}

// find returns the socket with this alias, id or number.
func (p plug) find(socket string) (outlet, error) {
	var names []string
	for _, o := range p.sockets {
		if strings.EqualFold(socket, o.alias) || socket == o.id || socket == strconv.Itoa(o.number) {
			return o, nil
		}
		names = append(names, o.alias)
	}
	return outlet{}, fmt.Errorf("there is no socket %q: the sockets are %q", socket, names)
}

// addSum adds the values of every socket of a strip, and their sums.
func (p plug) addSum(s *driver.Sample) {
	var anyOn bool
	for _, o := range p.sockets {
		part := fmt.Sprintf("socket_%d_", o.number)
		o.add(s, part)
		setText(s.Text, part+"alias", o.alias)
		anyOn = anyOn || o.on != nil && *o.on
		for _, key := range []string{"power_watts", "current_amperes", "energy_kwh", "today_energy_kwh"} {
			if v, ok := o.values[key]; ok {
				s.Fields[key] = round(s.Fields[key] + v)
			}
		}
	}
	s.Fields["on"] = boolNumber(anyOn)
}

// add adds the values of an outlet, with the key prefix part.
func (o outlet) add(s *driver.Sample, part string) {
	for key, v := range o.values {
		s.Fields[part+key] = round(v)
	}
	if o.on != nil {
		s.Fields[part+"on"] = boolNumber(*o.on)
	}
	if o.onSeconds != nil {
		s.Fields[part+"on_seconds"] = *o.onSeconds
	}
	if w := o.values["power_watts"]; w > maxWatts {
		s.Flag(driver.Suspect, "%spower_watts is %g, more than a socket can supply", part, w)
	}
	if v, ok := o.values["voltage_volts"]; ok && v < 1 {
		s.Flag(driver.Suspect, "%svoltage_volts is %g although the plug has power", part, v)
	}
}

func setText(m map[string]string, key, v string) {
	if v != "" {
		m[key] = v
	}
}

func boolNumber(on bool) float64 {
	if on {
		return 1
	}
	return 0
}

func round(v float64) float64 { return math.Round(v*1e6) / 1e6 }
