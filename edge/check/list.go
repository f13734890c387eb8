package check

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"periph.io/x/conn/v3/i2c"

	"github.com/hearth-home/hearth/edge/kinds"
)

// List shows the serial ports, the chips that answer on I2C, and the iio devices
// of this machine, and what they might be.
func List(w io.Writer) error { return list(w, "/", kinds.Probe) }

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
		Chips(bus, func(addr uint16, what string) { row("i2c", fmt.Sprintf("%s %#02x", path, addr), what) })
	}
	for _, path := range glob(root, "sys/bus/iio/devices/*/name") {
		name, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		what := "not known here"
		if strings.HasPrefix(string(name), "dht11") {
			what = "dht22 (NAME=" + strings.TrimSpace(string(name)) + ")"
		}
		row("iio", strings.TrimSpace(string(name)), what)
	}
	if found == 0 {
		fmt.Fprintln(t, "none\t\tno serial port, I2C bus or iio device: switch them on with raspi-config, and see that they are passed into the container")
	}
	return t.Flush()
}

// serialPorts shows the ports by the names that stay.
func serialPorts(root string, row func(kind, where, what string)) {
	stable := map[string]bool{}
	for _, path := range glob(root, "dev/serial/by-id/*") {
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			continue
		}
		stable[target] = true
		row("serial", path, "sds011, pms5003 or mhz19b; now "+filepath.Base(target))
	}
	for _, pattern := range []string{"dev/ttyUSB*", "dev/ttyACM*", "dev/serial[0-9]", "dev/ttyAMA*"} {
		for _, path := range glob(root, pattern) {
			if !stable[path] {
				row("serial", path, "sds011, pms5003 or mhz19b"+unstable(path))
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

// Chips calls found for every address that answers on a bus.
func Chips(bus i2c.Bus, found func(addr uint16, what string)) {
	for addr := uint16(0x08); addr <= 0x77; addr++ {
		if answers(bus, addr) {
			found(addr, guess(bus, addr))
		}
	}
}

// questions change nothing in the chips that a bare read does not wake: for a
// Sensirion chip's serial number, and for a register of the others.
var questions = map[uint16][]byte{
	0x58: {0x36, 0x82}, 0x62: {0x36, 0x82},
	0x76: {0xD0}, 0x77: {0xD0}, 0x48: {1}, 0x49: {1}, 0x4A: {1}, 0x4B: {1},
}

func answers(bus i2c.Bus, addr uint16) bool {
	if bus.Tx(addr, nil, make([]byte, 1)) == nil {
		return true
	}
	q := questions[addr]
	var r []byte
	if len(q) == 1 { // a register, of up to two bytes
		r = make([]byte, 2)
	}
	return q != nil && bus.Tx(addr, q, r) == nil
}

func guess(bus i2c.Bus, addr uint16) string {
	id := make([]byte, 1)
	switch {
	case addr == 0x62:
		return "scd4x"
	case addr == 0x58:
		return "sgp30"
	case addr == 0x76 || addr == 0x77:
		if bus.Tx(addr, []byte{0xD0}, id) != nil {
			return "bme280, perhaps"
		}
		switch id[0] {
		case 0x60:
			return fmt.Sprintf("bme280 (ADDRESS=%#02x)", addr)
		case 0x58:
			return fmt.Sprintf("bme280 without humidity: a BMP280 (ADDRESS=%#02x)", addr)
		}
		return fmt.Sprintf("not a bme280: it says it is %#02x", id[0])
	case addr >= 0x48 && addr <= 0x4B:
		return fmt.Sprintf("soil, if it is an ADS1115 (ADDRESS=%#02x)", addr)
	}
	return "not known here"
}
