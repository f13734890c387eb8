package device

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hearth-home/hearth/shared/catalogue"
)

// Value is one number of a device, in the unit that its key names.
type Value struct {
	Key   string
	V     float64
	Field *catalogue.Field // its declaration: range and rate of change; nil: the catalogue's
	Bad   string           // why its source knows it to be suspect; "": it does not
}

// TextState is a text that is kept as a state of a device alone, not as a reading.
type TextState struct{ Key, Text string }

// CheckName returns an error for a name that is not UTF-8 or holds a control
// character: databases and pages would refuse it or change it.
func CheckName(name string) error {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("a name holds a control character or is not UTF-8: %.100q", name)
	}
	return nil
}
