// Package hardware names the parts of a computer as a person would: cpu, gpu, nvme,
// big_core_0. The edge agent and the readers of Telegraf and other payloads use the same
// names, so that a quantity has one key, whichever program reports it. The first part of
// its kind has no number, the second is number 1: gpu, gpu_1.
package hardware

import (
	"regexp"
	"strconv"
	"strings"
)

// KeyPart turns a name into a part of a key: "Core 0" becomes "core_0". Unlike
// catalogue.Key it takes capital letters as small ones, not as the begin of a word, since
// other programs have changed some to small letters already.
func KeyPart(name string) string {
	b := make([]byte, 0, len(name))
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b = append(b, byte(r))
		case len(b) > 0 && b[len(b)-1] != '_':
			b = append(b, '_')
		}
	}
	return strings.TrimSuffix(string(b), "_")
}

// Number returns the name of the part with this number of its kind: gpu for 0, gpu_1 for 1.
func Number(part string, n int) string {
	if n <= 0 {
		return part
	}
	return part + "_" + strconv.Itoa(n)
}

// chips are the parts by the name of the Linux driver of their sensors, which may be the
// beginning of a longer name; all: what follows says nothing.
// https://docs.kernel.org/hwmon/
var chips = []struct {
	chip, part string
	all        bool
}{
	{"coretemp", "cpu", false}, {"k10temp", "cpu", false}, {"zenpower", "cpu", false}, {"k8temp", "cpu", false}, {"via_cputemp", "cpu", true},
	{"x86_pkg_temp", "cpu", false}, {"scpi_sensors", "cpu", true}, {"bcm2835", "cpu", true},
	{"nvme", "nvme", false}, {"drivetemp", "disk", false}, {"jc42", "memory", true}, {"spd5118", "memory", true},
	{"amdgpu", "amd_gpu", false}, {"radeon", "amd_gpu", false}, {"nouveau", "gpu", true}, {"i915", "intel_gpu", false}, {"xe", "intel_gpu", false},
	{"acpitz", "acpi", false}, {"pch", "chipset", true}, {"r8169", "ethernet", true},
	{"iwlwifi", "wifi", true}, {"ath9k", "wifi", true}, {"ath10k", "wifi", true}, {"ath11k", "wifi", true}, {"ath12k", "wifi", true},
	{"pwmfan", "", true}, {"pwm_fan", "", true},
	{"package", "soc", false}, // of a Rockchip RK3588 with a recent kernel
	{"littlecore", "little_core", false}, {"little", "little_core", false}, {"cpul", "little_core", false},
	// The second pair of big cores is number 1 or 2, as the kernel counts pairs or cores.
	{"bigcore0", "big_core_0", false}, {"bigcore1", "big_core_1", false}, {"bigcore2", "big_core_1", false},
	{"bigcore", "big_core", false}, {"big", "big_core", false}, {"cpub", "big_core", false},
}

var (
	mediatek   = regexp.MustCompile(`^mt7[0-9]{3}`)                            // Wi-Fi cards: mt7921_phy0
	zoneEnding = regexp.MustCompile(`_(thermal|thermal_zone|therm)(_temp1)?$`) // of a thermal zone's type, and of its chip
	first      = regexp.MustCompile(`_(temp|fan)1$`)                           // the first sensor of a chip, without a label
	numbered   = regexp.MustCompile(`^(package_?id|physical_?id|temp|core|sensor|tccd|ccd)_?([0-9]+)$`)
	cpuZone    = regexp.MustCompile(`^cpu_?([0-9]+)$`)
)

// labels are the names of a chip's sensors by their labels. "": the sensor of the part
// itself.
var labels = map[string]string{"composite": "", "tctl": "", "edge": "", "pkg": "", "tdie": "die", "mem": "memory", "vram": "memory"}

// Part returns the name of the part that a sensor measures: cpu for the chip coretemp
// with the label "Package id 0". Without a label, label is "", or temp1, temp2 as in
// Linux. chip may be the type of a thermal zone, too, or contain the label. n is the
// number of the chip among those of its kind; the label may say it, too. A chip that is
// not known keeps its name. The result is "" for a fan that is not part of anything.
func Part(chip, label string, n int) string {
	name := KeyPart(chip + " " + label)
	name = first.ReplaceAllString(zoneEnding.ReplaceAllString(name, ""), "")
	if m := cpuZone.FindStringSubmatch(name); m != nil {
		return Number("cpu", n) + "_core_" + m[1]
	}
	part, rest := known(name)
	if m := numbered.FindStringSubmatch(rest); m != nil {
		i, _ := strconv.Atoi(m[2]) // digits; a number that is too large becomes the largest
		switch m[1] {
		case "temp":
			n, rest = max(n, i-1), ""
		case "core", "sensor":
			rest = m[1] + "_" + m[2]
		case "tccd", "ccd":
			rest = "ccd_" + m[2]
		default:
			n, rest = max(n, i), ""
		}
	} else if plain, ok := labels[rest]; ok {
		rest = plain
	}
	if part == "" && n > 0 {
		part = name // a second fan
	}
	if part != "" {
		part = Number(part, n)
	}
	return strings.TrimPrefix(strings.TrimSuffix(part+"_"+rest, "_"), "_")
}

// known returns the part of a chip that is known and what its name says beyond, else the
// whole name.
func known(name string) (part, rest string) {
	if mediatek.MatchString(name) {
		return "wifi", ""
	}
	for _, c := range chips {
		if rest, ok := strings.CutPrefix(name, c.chip); ok && (rest == "" || rest[0] == '_' || c.all) {
			if c.all {
				rest = ""
			}
			return c.part, strings.TrimPrefix(rest, "_")
		}
	}
	return name, ""
}

var fanWord = regexp.MustCompile(`(^|_)fan(_?([0-9]+))?$`)

// Fan returns the name of the part that a fan cools, as Part does: nct6775_2 for the chip
// nct6775 with the label fan2.
func Fan(chip, label string, n int) string {
	part := Part(chip, label, n)
	if m := fanWord.FindStringSubmatchIndex(part); m != nil {
		head := part[:m[0]]
		if m[6] >= 0 {
			head += "_" + part[m[6]:m[7]]
		}
		return strings.TrimPrefix(head, "_")
	}
	return part
}

var nvmeDisk = regexp.MustCompile(`^nvme([0-9]+)(n1)?$`)

// Disk returns the name of a disk: nvme_1 for nvme1 and nvme1n1, else the name of its
// device, such as sda.
func Disk(device string) string {
	name := KeyPart(device[strings.LastIndexByte(device, '/')+1:])
	if m := nvmeDisk.FindStringSubmatch(name); m != nil {
		n, _ := strconv.Atoi(m[1])
		return Number("nvme", n)
	}
	return name
}
