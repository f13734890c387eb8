package slack

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/nearest"
)

// Rooms are Slack's channels by what messages are about: climate=#air,security=#alarm.
type Rooms map[alert.Channel]string

// UnmarshalText parses Rooms.
func (r *Rooms) UnmarshalText(text []byte) error {
	parsed, err := byChannel(strings.FieldsFunc(string(text), func(c rune) bool { return strings.ContainsRune(",;\n", c) }))
	if err == nil && parsed[""] != "" {
		err = fmt.Errorf("write what is sent to %s: climate=#air, with climate one of %s", parsed[""], channelNames())
	}
	*r = parsed
	return err
}

// ParseWebhooks parses the secret with the addresses of webhooks: lines of kind=address,
// where kind is a channel of the outbox or default. One address alone is the default. In a
// variable, which has one line, semicolons or spaces stand between them. After an error,
// those that are right are returned too. No error holds an address.
func ParseWebhooks(text string) (Rooms, error) {
	lines := strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune("\r\n; \t", c) })
	if len(lines) == 1 && isAddress(lines[0]) {
		return Rooms{"": lines[0]}, nil
	}
	all, err := byChannel(lines)
	errs := []error{err}
	for _, c := range slices.Sorted(maps.Keys(all)) {
		if !isAddress(all[c]) {
			errs = append(errs, fmt.Errorf("%s= is no web address: write https://hooks.slack.com/services/…", nameOf(c)))
			delete(all, c)
		}
	}
	return all, errors.Join(errs...)
}

// byChannel parses elements of the form channel=value. default is the channel "".
func byChannel(elements []string) (Rooms, error) {
	out := Rooms{}
	var errs []error
	for i, e := range elements {
		key, value, ok := strings.Cut(strings.TrimSpace(e), "=")
		c := alert.Channel(strings.ToLower(strings.TrimSpace(key)))
		value = strings.TrimSpace(value)
		switch {
		case !ok || isAddress(e):
			errs = append(errs, fmt.Errorf("element %d has no kind before its =: write default= or one of %s", i+1, channelNames()))
		case value == "":
		case c == "default":
			out[""] = value
		case slices.Contains(alert.Channels, c):
			out[c] = value
		default:
			errs = append(errs, unknown(string(c)))
		}
	}
	return out, errors.Join(errs...)
}

func unknown(c string) error {
	names := []string{"default"}
	for _, known := range alert.Channels {
		names = append(names, string(known))
	}
	if meant := nearest.Of(c, names); meant != "" {
		return fmt.Errorf("%.40q is no kind of message: did you mean %s?", c, meant)
	}
	return fmt.Errorf("%.40q is no kind of message: write default or one of %s", c, channelNames())
}

func channelNames() string {
	var names []string
	for _, c := range alert.Channels {
		names = append(names, string(c))
	}
	return strings.Join(names, ", ")
}

func nameOf(c alert.Channel) string {
	if c == "" {
		return "default"
	}
	return string(c)
}

// of returns the room of a channel: its own or the default. "" if it has none.
func (r Rooms) of(c alert.Channel) string {
	if room := r[c]; room != "" {
		return room
	}
	return r[""]
}

func isAddress(s string) bool {
	_, err := config.URL(strings.TrimSpace(s))
	return err == nil
}
