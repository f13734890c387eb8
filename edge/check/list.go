package check

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/kinds"
)

// List shows the serial ports, the chips that answer on I2C, and the iio devices
// of this machine, and what they might be.
func List(w io.Writer) error { return list(w, "/", kinds.OpenBus) }

func list(w io.Writer, root string, probe func(bus string) (i2c.Bus, error)) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "KIND\tWHERE\tWHAT")
	found := 0
	row := func(kind, where, what string) {
		found++
		fmt.Fprintf(t, "%s\t%s\t%s\n", kind, where, what)
	}
	serialPorts(root, row)
	for _, path := range glob(root, "dev/i2c-*") {
		bus, err := probe(path)
		if err != nil {
			row("i2c", path, err.Error())
			continue
		}
		eachChip(bus, func(addr uint16, what string) { row("i2c", fmt.Sprintf("%s %#02x", path, addr), what) })
	}
	for _, path := range glob(root, "sys/bus/iio/devices/*/name") {
		name, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		row("iio", strings.TrimSpace(string(name)), device(strings.TrimSpace(string(name))))
	}
	if found == 0 {
		fmt.Fprintln(t, "none\t\tno serial port, I2C bus or iio device: switch them on with raspi-config, and see that they are passed into the container")
	}
	return t.Flush()
}

// device says which kind an iio device may be of.
func device(name string) string {
	for _, k := range kinds.All() {
		if k.IIO != "" && strings.HasPrefix(name, k.IIO) {
			return k.Name + " (NAME=" + name + ")"
		}
	}
	return unknownDevice
}

const unknownDevice = "not known here"

// serialPorts shows the ports by the names that stay.
func serialPorts(root string, row func(kind, where, what string)) {
	var names []string
	for _, k := range kinds.All() {
		if k.Via == driver.Serial {
			names = append(names, k.Name)
		}
	}
	what := strings.Join(names, " or ")
	stable := map[string]bool{}
	for _, path := range glob(root, "dev/serial/by-id/*") {
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			continue
		}
		stable[target] = true
		row("serial", path, what+"; now "+filepath.Base(target))
	}
	for _, pattern := range []string{"dev/ttyUSB*", "dev/ttyACM*", "dev/serial[0-9]", "dev/ttyAMA*"} {
		for _, path := range glob(root, pattern) {
			if !stable[path] {
				row("serial", path, what+unstable(path))
			}
		}
	}
}

func unstable(path string) string {
	if strings.Contains(path, "USB") || strings.Contains(path, "ACM") {
		return "; this name may change, see /dev/serial/by-path"
	}
	return ""
}

func glob(root, pattern string) []string {
	paths, _ := filepath.Glob(filepath.Join(root, pattern)) // the patterns are right
	return paths
}

// eachChip calls found for every address that answers on a bus.
func eachChip(bus i2c.Bus, found func(addr uint16, what string)) {
	for addr := uint16(0x08); addr <= 0x77; addr++ {
		if answers(bus, addr) {
			found(addr, describe(bus, addr))
		}
	}
}

// chips are the kinds of chips that may be at an address.
func chips(addr uint16) (out []driver.Chip) {
	for _, k := range kinds.All() {
		if slices.Contains(k.Chip.Addresses, addr) {
			out = append(out, k.Chip)
		}
	}
	return out
}

func answers(bus i2c.Bus, addr uint16) bool {
	return bus.Tx(addr, nil, make([]byte, 1)) == nil ||
		slices.ContainsFunc(chips(addr), func(c driver.Chip) bool { return bus.Tx(addr, c.Probe, make([]byte, c.ProbeLen)) == nil })
}

func describe(bus i2c.Bus, addr uint16) string {
	var names []string
	for _, c := range chips(addr) {
		names = append(names, c.Describe(bus, addr))
	}
	return cmp.Or(strings.Join(names, ", or "), unknownDevice)
}
