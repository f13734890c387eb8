package host

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/shared/hardware"
)

const (
	thermalDir = "sys/class/thermal"
	hwmonDir   = "sys/class/hwmon"
)

// thermal reports the temperature of every thermal zone, under the name of what it measures.
func (d *dev) thermal(s *driver.Sample) {
	seen := map[string]int{}
	for _, zone := range inOrder(d.list(thermalDir), "thermal_zone") {
		kind := d.text(thermalDir, zone, "type")
		part := hardware.Part(kind, "", 0)
		if part == "" {
			continue
		}
		n := seen[part]
		seen[part]++
		if milli, ok := d.number(thermalDir, zone, "temp"); ok {
			s.Fields[hardware.Part(kind, "", n)+"_temperature_celsius"] = milli / 1000
		}
	}
}

// inOrder returns the names that are prefix and a number, by number.
func inOrder(names []string, prefix string) []string {
	var out []string
	for _, name := range names {
		if _, ok := numberOf(name, prefix); ok {
			out = append(out, name)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int {
		m, _ := numberOf(a, prefix)
		n, _ := numberOf(b, prefix)
		return m - n
	})
	return out
}

// numberOf returns the number at the end of a name: 4 of policy4.
func numberOf(name, prefix string) (int, bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	n, err := strconv.ParseUint(rest, 10, 31)
	return int(n), ok && err == nil
}

// chip is a sensor chip of hwmon.
type chip struct{ dir, name, device string }

// hwmon reports the temperatures and fans of every sensor chip, under the name of what
// they measure. A thermal zone of the same name is the same sensor and takes precedence.
func (d *dev) hwmon(s *driver.Sample) {
	var chips []chip
	for _, dir := range inOrder(d.list(hwmonDir), "hwmon") {
		c := chip{dir: dir, name: d.text(hwmonDir, dir, "name")}
		if target, err := fs.ReadLink(d.fsys, path.Join(hwmonDir, dir, "device")); err == nil {
			c.device = path.Base(target)
		}
		chips = append(chips, c)
	}
	slices.SortStableFunc(chips, func(a, b chip) int { return strings.Compare(a.device, b.device) })
	seen := map[string]int{}
	for _, c := range chips {
		if c.name == "rpi_volt" {
			d.undervoltage(s, c.dir)
			continue
		}
		part := hardware.Part(c.name, "", 0)
		n := seen[part]
		seen[part]++
		if i, ok := numberOf(c.device, "nvme"); ok {
			n = i
		}
		d.inputs(s, c, n)
		if c.name == "amdgpu" {
			d.amd(s, c, n)
		}
	}
	d.hottest(s)
}

// inputs reports a chip's tempN_input (thousandths of a degree) and fanN_input (rpm). n is
// its number among the chips of its kind.
func (d *dev) inputs(s *driver.Sample, c chip, n int) {
	for _, file := range d.list(path.Join(hwmonDir, c.dir)) {
		input, ok := strings.CutSuffix(file, "_input")
		v, valid := d.number(hwmonDir, c.dir, file)
		if !ok || !valid || hardware.KeyPart(c.name) == "" {
			continue
		}
		label := cmp.Or(d.text(hwmonDir, c.dir, input+"_label"), input)
		switch {
		case strings.HasPrefix(input, "temp"):
			key := hardware.Part(c.name, label, n) + "_temperature_celsius"
			if disks := d.list(path.Join(hwmonDir, c.dir, "device", "block")); c.name == "drivetemp" && len(disks) == 1 {
				key = hardware.Disk(disks[0]) + "_temperature_celsius"
			}
			if _, taken := s.Fields[key]; !taken {
				s.Fields[key] = v / 1000
			}
		case strings.HasPrefix(input, "fan"):
			s.Fields[strings.TrimPrefix(hardware.Fan(c.name, label, n)+"_fan_rpm", "_")] = v
		}
	}
}

// amd reports the use, the memory, the power and the clock of an AMD card.
// https://docs.kernel.org/gpu/amdgpu/thermal.html
func (d *dev) amd(s *driver.Sample, c chip, n int) {
	part, dir := hardware.Part(c.name, "", n), path.Join(hwmonDir, c.dir)
	for _, f := range []struct {
		key, file string
		unit      float64
	}{
		{"usage_percent", "device/gpu_busy_percent", 1},
		{"memory_used_bytes", "device/mem_info_vram_used", 1},
		{"memory_total_bytes", "device/mem_info_vram_total", 1},
		{"power_watts", "power1_input", 1e-6}, // newer cards
		{"power_watts", "power1_average", 1e-6},
		{"frequency_hertz", "freq1_input", 1},
	} {
		if v, ok := d.number(dir, f.file); ok {
			s.Fields[part+"_"+f.key] = v * f.unit
		}
	}
}

// hottest reports the temperature of the hottest core as the processor's, if that has
// none of its own.
func (d *dev) hottest(s *driver.Sample) {
	const key = "cpu_temperature_celsius"
	if _, ok := s.Fields[key]; ok {
		return
	}
	for k, v := range s.Fields {
		if hottest, ok := s.Fields[key]; strings.HasPrefix(k, "cpu_core_") && strings.HasSuffix(k, "_temperature_celsius") && (!ok || v > hottest) {
			s.Fields[key] = v
		}
	}
}

// undervoltage reports the Raspberry Pi's undervoltage alarm.
func (d *dev) undervoltage(s *driver.Sample, chip string) {
	if v, ok := d.number(hwmonDir, chip, "in0_lcrit_alarm"); ok {
		s.Fields["undervoltage"] = min(max(v, 0), 1)
	}
}

// wear reports how much of an eMMC's lifetime is used, in steps of 10 %. The file has two
// values, for two kinds of memory; the higher one is reported.
func (d *dev) wear(s *driver.Sample, disk string) {
	var worst uint64
	for _, f := range strings.Fields(d.text("sys/block", disk, "device/life_time")) {
		if v, err := strconv.ParseUint(f, 0, 8); err == nil && v <= 11 {
			worst = max(worst, v)
		}
	}
	if worst > 0 {
		s.Fields[hardware.Disk(disk)+"_life_used_percent"] = float64(worst) * 10
	}
}
