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

// List prints to w this machine's serial ports, the chips that answer on I2C, and the iio
// devices, each with the kinds of sensor that it may be.
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
		fmt.Fprintln(t, "none\t\tno serial port, I2C bus or iio device: enable them with raspi-config, and pass them into the container")
	}
	return t.Flush()
}

// device returns the kind that an iio device may be, by its name.
func device(name string) string {
	for _, k := range kinds.All() {
		if k.IIO != "" && strings.HasPrefix(name, k.IIO) {
			return k.Name + " (NAME=" + name + ")"
		}
	}
	return unknownDevice
}

const unknownDevice = "unknown"

// serialPorts lists the serial ports, by their stable names where they have one.
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

// unstable returns a note for ports whose name may change at the next boot.
func unstable(path string) string {
	if strings.Contains(path, "USB") || strings.Contains(path, "ACM") {
		return "; this name may change, see /dev/serial/by-path"
	}
	return ""
}

func glob(root, pattern string) []string {
	paths, _ := filepath.Glob(filepath.Join(root, pattern)) // an error means a bad pattern; these are constant
	return paths
}

// eachChip calls found for every address of a bus that answers.
func eachChip(bus i2c.Bus, found func(addr uint16, what string)) {
	for addr := uint16(0x08); addr <= 0x77; addr++ {
		if answers(bus, addr) {
			found(addr, describe(bus, addr))
		}
	}
}

// chips returns the chips of all kinds that may be at an address.
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
