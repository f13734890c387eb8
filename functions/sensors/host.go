package function

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/hardware"
)

// hostField says how a field of Telegraf is stored in the measurement host: as
// value*factor + offset under the name of a part, such as a disk, and suffix.
type hostField struct {
	part           partOf // nil: the whole computer
	suffix         string
	factor, offset float64
}

// partOf names the part of the computer that a metric is about; ok is false if the metric
// says nothing about the computer itself.
type partOf func(c *chips, t *telegrafMetric) (part string, ok bool)

// hostFields are the fields of Telegraf that our edge agent reports, too: they have the
// agent's keys. On Windows, names and units are those of performance counters.
// https://github.com/influxdata/telegraf/tree/master/plugins/inputs
var hostFields = map[string]hostField{
	"cpu.usage_idle": {cpuTag("cpu"), "usage_percent", -1, 100}, "system.n_physical_cpus": {nil, "cpu_cores", 1, 0},
	"mem.available": {nil, "memory_available_bytes", 1, 0}, "mem.total": {nil, "memory_total_bytes", 1, 0}, "mem.used": {nil, "memory_used_bytes", 1, 0}, "mem.used_percent": {nil, "memory_usage_percent", 1, 0},
	"system.load1": {nil, "load_1m", 1, 0}, "system.load5": {nil, "load_5m", 1, 0}, "system.load15": {nil, "load_15m", 1, 0}, "system.uptime": {nil, "uptime_seconds", 1, 0},
	"disk.free": {mountTag, "disk_free_bytes", 1, 0}, "disk.total": {mountTag, "disk_size_bytes", 1, 0}, "disk.used_percent": {mountTag, "disk_usage_percent", 1, 0},
	"diskio.read_bytes": {diskTag("name"), "read_bytes", 1, 0}, "diskio.write_bytes": {diskTag("name"), "written_bytes", 1, 0},
	"net.bytes_recv": {anyTag("interface"), "received_bytes", 1, 0}, "net.bytes_sent": {anyTag("interface"), "sent_bytes", 1, 0}, "net.errors": {anyTag("interface"), "network_errors", 1, 0},
	"temp.temp": {tempTag, "temperature_celsius", 1, 0}, "sensors.temp_input": {sensorTags(hardware.Part), "temperature_celsius", 1, 0}, "sensors.fan_input": {sensorTags(hardware.Fan), "fan_rpm", 1, 0},
	"nvidia_smi.temperature_gpu": {gpuTag, "temperature_celsius", 1, 0}, "nvidia_smi.power_draw": {gpuTag, "power_watts", 1, 0}, "nvidia_smi.utilization_gpu": {gpuTag, "usage_percent", 1, 0},
	"nvidia_smi.memory_used": {gpuTag, "memory_used_bytes", 1 << 20, 0}, "nvidia_smi.memory_total": {gpuTag, "memory_total_bytes", 1 << 20, 0}, "nvidia_smi.clocks_current_graphics": {gpuTag, "frequency_hertz", 1e6, 0},
	"amd_rocm_smi.temperature_sensor_edge": {cardTag, "temperature_celsius", 1, 0}, "amd_rocm_smi.temperature_sensor_junction": {cardTag, "junction_temperature_celsius", 1, 0}, "amd_rocm_smi.temperature_sensor_memory": {cardTag, "memory_temperature_celsius", 1, 0},
	"amd_rocm_smi.power_draw": {cardTag, "power_watts", 1, 0}, "amd_rocm_smi.utilization_gpu": {cardTag, "usage_percent", 1, 0}, "amd_rocm_smi.clocks_current_sm": {cardTag, "frequency_hertz", 1e6, 0},
	"amd_rocm_smi.memory_used": {cardTag, "memory_used_bytes", 1, 0}, "amd_rocm_smi.memory_total": {cardTag, "memory_total_bytes", 1, 0},
	"hddtemp.temperature": {diskTag("device"), "temperature_celsius", 1, 0}, "smartctl.temperature": {diskTag("name"), "temperature_celsius", 1, 0},
	"smart_device.temp_c": {diskTag("device"), "temperature_celsius", 1, 0}, "smart_device.percentage_used": {diskTag("device"), "life_used_percent", 1, 0}, "smart_device.percent_lifetime_remain": {diskTag("device"), "life_used_percent", -1, 100},

	"win_cpu.Percent_Processor_Time": {cpuTag("instance"), "usage_percent", 1, 0}, "win_mem.Available_Bytes": {nil, "memory_available_bytes", 1, 0}, "win_system.System_Up_Time": {nil, "uptime_seconds", 1, 0},
	"win_disk.Free_Megabytes": {anyTag("instance"), "disk_free_bytes", 1 << 20, 0}, "win_disk.Percent_Free_Space": {anyTag("instance"), "disk_usage_percent", -1, 100},
	"win_diskio.Disk_Read_Bytes_persec": {driveTag, "read_bytes_per_second", 1, 0}, "win_diskio.Disk_Write_Bytes_persec": {driveTag, "written_bytes_per_second", 1, 0},
	"win_net.Bytes_Received_persec": {anyTag("instance"), "received_bytes_per_second", 1, 0}, "win_net.Bytes_Sent_persec": {anyTag("instance"), "sent_bytes_per_second", 1, 0},
}

// ofHosts are the names of Telegraf's metrics in hostFields.
var ofHosts = func() map[string]bool {
	names := map[string]bool{}
	for full := range hostFields {
		name, _, _ := strings.Cut(full, ".")
		names[name] = true
	}
	return names
}()

// key returns the key of a field and its declaration, nil if the field is not stored.
func (h hostField) key(c *chips, t *telegrafMetric) (string, *catalogue.Field) {
	key := h.suffix
	if h.part != nil {
		part, ok := h.part(c, t)
		if !ok {
			return "", nil
		}
		if part != "" {
			key = part + "_" + h.suffix
		}
	}
	m, _ := catalogue.Get("host")
	if f, ok := m.Field(key); ok && len(key) <= 100 {
		return key, &f
	}
	return key, nil
}

// numberedInput is a field of the plugin sensors that has the number of its feature.
var numberedInput = regexp.MustCompile(`^(temp|fan)[0-9]+_input$`)

// derive calculates fields as the edge agent does: the memory and the space that are used
// are all that is not available.
func (t *telegrafMetric) derive() {
	f := t.fields
	left := func(total, free string) (float64, float64, bool) {
		all, ok := f[total]
		rest, ok2 := f[free]
		return all, rest, ok && ok2 && all > 0
	}
	switch t.name {
	case "sensors": // with remove_numbers = false
		for k, v := range f {
			if m := numberedInput.FindStringSubmatch(k); m != nil {
				f[m[1]+"_input"] = v
			}
		}
	case "mem":
		if all, rest, ok := left("total", "available"); ok {
			f["used"], f["used_percent"] = all-rest, math.Round((1-rest/all)*1000)/10
		}
	case "disk":
		if all, rest, ok := left("total", "free"); ok {
			f["used_percent"] = math.Round((1-rest/all)*1000) / 10
		}
	case "net":
		in, ok := f["err_in"]
		if out, ok2 := f["err_out"]; ok && ok2 {
			f["errors"] = in + out
		}
	}
}

const allTogether = "_Total" // the instance of Windows for the sum of all

// anyTag names a part as a tag does.
func anyTag(tag string) partOf {
	return func(_ *chips, t *telegrafMetric) (string, bool) {
		part := hardware.KeyPart(t.tags[tag])
		return part, part != "" && t.tags[tag] != allTogether
	}
}

func cpuTag(tag string) partOf {
	return func(_ *chips, t *telegrafMetric) (string, bool) {
		switch v := t.tags[tag]; v {
		case "cpu-total", allTogether, "":
			return "cpu", true
		default: // one of its threads: cpu3
			return "cpu" + strings.TrimPrefix(hardware.KeyPart(v), "cpu"), !strings.HasSuffix(v, ","+allTogether)
		}
	}
}

func diskTag(tag string) partOf {
	return func(_ *chips, t *telegrafMetric) (string, bool) {
		part := hardware.Disk(t.tags[tag])
		return part, part != ""
	}
}

var driveNumber = regexp.MustCompile(`^[0-9]+_`)

// driveTag names a disk of Windows by its first letter: c for the instance "0 C: D:".
func driveTag(_ *chips, t *telegrafMetric) (string, bool) {
	part, _, _ := strings.Cut(driveNumber.ReplaceAllString(hardware.KeyPart(t.tags["instance"]), ""), "_")
	if _, err := strconv.Atoi(part); err == nil {
		part = "disk_" + part
	}
	return part, part != "" && t.tags["instance"] != allTogether
}

func mountTag(_ *chips, t *telegrafMetric) (string, bool) {
	return cmp.Or(hardware.KeyPart(t.tags["path"]), "root"), true
}

func gpuTag(_ *chips, t *telegrafMetric) (string, bool) {
	n, _ := strconv.Atoi(t.tags["index"]) // without an index it is the only one
	return hardware.Number("gpu", n), true
}

// cardTag names a card of AMD: amd_gpu_1 for card1.
func cardTag(_ *chips, t *telegrafMetric) (string, bool) {
	n, _ := strconv.Atoi(strings.TrimPrefix(t.tags["name"], "card"))
	return hardware.Number("amd_gpu", n), true
}

var (
	// limit are endings of the plugin temp in its first format: limits and alarms, which are
	// no temperatures.
	limit = regexp.MustCompile(`_(crit|max|min|lcrit|emergency|lowest|highest|alarm|type|offset|beep|fault|enable)(_?(hyst|alarm))?$`)
	// ordered are devices that Linux numbers by their kind.
	ordered = regexp.MustCompile(`^(?:nvme|coretemp\.)([0-9]+)$`)
)

// tempTag names the part by the sensor of the plugin temp, chip and label in one, and by
// its device if Telegraf adds that.
func tempTag(c *chips, t *telegrafMetric) (string, bool) {
	sensor := strings.TrimSuffix(t.tags["sensor"], "_input")
	if limit.MatchString(sensor) {
		return "", false
	}
	n := 0
	if m := ordered.FindStringSubmatch(t.tags["device"]); m != nil {
		n, _ = strconv.Atoi(m[1])
	} else if kind, address := t.chip(); address != "" {
		n = c.number(t, kind, address)
	}
	part := hardware.Part(sensor, "", n)
	return part, part != ""
}

// address is how lm-sensors writes a chip: coretemp-isa-0000, nvme-pci-0100,
// iwlwifi_1-virtual-0, drivetemp-scsi-2-0.
// https://github.com/lm-sensors/lm-sensors/blob/master/lib/data.c
var address = regexp.MustCompile(`^(.*?)-(isa|pci|i2c|spi|virtual|acpi|hid|mdio|scsi)-([0-9a-f-]+)$`)

// chip returns the kind of the sensor chip that a metric is about, and its address on the
// computer, "" if Telegraf says none.
func (t *telegrafMetric) chip() (kind, at string) {
	switch t.name {
	case "temp":
		return hardware.Part(strings.TrimSuffix(t.tags["sensor"], "_input"), "", 0), t.tags["device"]
	case "sensors":
		if m := address.FindStringSubmatch(t.tags["chip"]); m != nil {
			return m[1], m[2] + m[3]
		}
		return t.tags["chip"], ""
	}
	return "", ""
}

// sensorTags names the part by the chip and the feature of the plugin sensors.
func sensorTags(name func(chip, label string, n int) string) partOf {
	return func(c *chips, t *telegrafMetric) (string, bool) {
		chip, at := t.chip()
		return name(chip, t.tags["feature"], c.number(t, chip, at)), hardware.KeyPart(chip) != ""
	}
}

// chips remembers the sensor chips of the computers, to count those of one kind in the
// order of their addresses: Telegraf says of a chip its address, but not whether it is
// the first. It is safe for concurrent use.
type chips struct {
	mu sync.Mutex
	of map[string][]string // addresses in order, by computer and kind
}

const (
	maxComputers = 1000 // kinds of chips of all computers
	maxChips     = 64   // of one kind
)

// add remembers the chips of metrics. It is called with all of a message before number.
func (c *chips) add(ts []telegrafMetric) {
	for i := range ts {
		if kind, at := ts[i].chip(); at != "" {
			c.number(&ts[i], kind, at)
		}
	}
}

// number returns how many chips of the kind with a lower address the metric's computer
// is known to have.
func (c *chips) number(t *telegrafMetric, kind, address string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := strings.Join([]string{t.physical, t.name, kind}, "\x00") // two plugins write addresses in two ways
	known := c.of[key]
	i, ok := slices.BinarySearch(known, address)
	if !ok && len(known) < maxChips && (known != nil || len(c.of) < maxComputers) {
		if c.of == nil {
			c.of = map[string][]string{}
		}
		c.of[key] = slices.Insert(known, i, address)
	}
	return i
}
