package host

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/edge/driver"
)

const (
	thermalDir = "sys/class/thermal"
	hwmonDir   = "sys/class/hwmon"
	cpufreqDir = "sys/devices/system/cpu/cpufreq"
)

// thermal reports the temperature of every thermal zone. The key contains its type.
func (d *dev) thermal(s *driver.Sample) {
	seen := map[string]int{}
	for _, zone := range d.list(thermalDir) {
		kind := driver.KeyPart(d.text(thermalDir, zone, "type"))
		if !strings.HasPrefix(zone, "thermal_zone") || kind == "" {
			continue
		}
		if seen[kind]++; seen[kind] > 1 {
			kind = fmt.Sprintf("%s_%d", kind, seen[kind])
		}
		if milli, ok := d.number(thermalDir, zone, "temp"); ok {
			s.Fields[kind+"_temperature_celsius"] = milli / 1000
		}
	}
}

// hwmon reports the temperatures and fans of every sensor chip. The keys contain the name
// and label. A thermal zone with the same key is the same sensor and takes precedence.
func (d *dev) hwmon(s *driver.Sample) {
	chips := d.list(hwmonDir)
	names := map[string]int{}
	for _, chip := range chips {
		names[d.text(hwmonDir, chip, "name")]++
	}
	seen := map[string]int{}
	for _, chip := range chips {
		name := d.text(hwmonDir, chip, "name")
		if name == "rpi_volt" {
			d.undervoltage(s, chip)
			continue
		}
		part := driver.KeyPart(name)
		if seen[name]++; names[name] > 1 {
			part = d.distinct(chip, part, seen[name])
		}
		d.inputs(s, chip, part)
	}
}

// distinct returns a key prefix for one of several chips with the same name: that of its
// device, such as nvme0 or nvme1, or else one with the number n.
func (d *dev) distinct(chip, part string, n int) string {
	target, err := fs.ReadLink(d.fsys, path.Join(hwmonDir, chip, "device"))
	if device := driver.KeyPart(path.Base(target)); err == nil && device != "" {
		if strings.HasPrefix(device, part) {
			return device
		}
		return part + "_" + device
	}
	if n == 1 {
		return part
	}
	return fmt.Sprintf("%s_%d", part, n)
}

// inputs reports a chip's tempN_input (thousandths of a degree) and fanN_input (rpm).
func (d *dev) inputs(s *driver.Sample, chip, part string) {
	for _, file := range d.list(path.Join(hwmonDir, chip)) {
		input, ok := strings.CutSuffix(file, "_input")
		if !ok {
			continue
		}
		label := driver.KeyPart(d.text(hwmonDir, chip, input+"_label"))
		if label == "" && input != "temp1" && input != "fan1" {
			label = input
		}
		key := part
		if label != "" {
			key += "_" + label
		}
		v, ok := d.number(hwmonDir, chip, file)
		switch {
		case !ok || part == "":
		case strings.HasPrefix(input, "temp"):
			if _, taken := s.Fields[key+"_temperature_celsius"]; !taken {
				s.Fields[key+"_temperature_celsius"] = v / 1000
			}
		case strings.HasPrefix(input, "fan"):
			s.Fields[key+"_fan_rpm"] = v
		}
	}
}

// undervoltage reports the Raspberry Pi's undervoltage alarm.
func (d *dev) undervoltage(s *driver.Sample, chip string) {
	if v, ok := d.number(hwmonDir, chip, "in0_lcrit_alarm"); ok {
		s.Fields["undervoltage"] = min(max(v, 0), 1)
	}
}

// frequency reports the processor's frequency: the mean, and that of each cluster if
// there are several.
func (d *dev) frequency(s *driver.Sample) {
	const clusters = 4 // with more, each core is a policy of its own
	hertz := map[string]float64{}
	var sum float64
	for _, policy := range d.list(cpufreqDir) {
		if kHz, ok := d.number(cpufreqDir, policy, "scaling_cur_freq"); ok && strings.HasPrefix(policy, "policy") {
			hertz[policy] = kHz * 1000
			sum += kHz * 1000
		}
	}
	if len(hertz) > 0 {
		s.Fields["cpu_frequency_hertz"] = sum / float64(len(hertz))
	}
	if len(hertz) > 1 && len(hertz) <= clusters {
		for policy, hz := range hertz {
			s.Fields[policy+"_frequency_hertz"] = hz
		}
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
		s.Fields[driver.KeyPart(disk)+"_life_used_percent"] = float64(worst) * 10
	}
}
