package host

import (
	"math"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/shared/hardware"
)

// load reports the load averages.
func (d *dev) load(s *driver.Sample) {
	f := strings.Fields(d.text("proc/loadavg"))
	if len(f) < 3 {
		return
	}
	for i, key := range []string{"load_1m", "load_5m", "load_15m"} {
		set(s, key, f[i], 1)
	}
}

// uptime reports the time since boot.
func (d *dev) uptime(s *driver.Sample) {
	if f := strings.Fields(d.text("proc/uptime")); len(f) > 0 {
		set(s, "uptime_seconds", f[0], 1)
	}
}

// set sets a field to the number in text, times unit. It does nothing if text is not a
// finite number.
func set(s *driver.Sample, key, text string, unit float64) {
	if v, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(v) && !math.IsInf(v, 0) {
		s.Fields[key] = v * unit
	}
}

// memory reports the memory; /proc/meminfo has it in kB.
func (d *dev) memory(s *driver.Sample) {
	keys := map[string]string{"MemTotal:": "memory_total_bytes", "MemAvailable:": "memory_available_bytes"}
	for line := range strings.Lines(d.text("proc/meminfo")) {
		if f := strings.Fields(line); len(f) >= 2 && keys[f[0]] != "" {
			set(s, keys[f[0]], f[1], 1024)
		}
	}
	total, free := s.Fields["memory_total_bytes"], s.Fields["memory_available_bytes"]
	if total > 0 && free > 0 {
		s.Fields["memory_used_bytes"] = total - free
		s.Fields["memory_usage_percent"] = math.Round((1-free/total)*1000) / 10
	}
}

// space reports the space of the configured file systems.
func (d *dev) space(s *driver.Sample) {
	for _, mount := range d.cfg.Mounts {
		size, free, err := d.cfg.Statfs(mount)
		if err != nil || size == 0 {
			continue
		}
		part := hardware.KeyPart(mount)
		if part == "" {
			part = "root"
		}
		s.Fields[part+"_disk_size_bytes"] = float64(size)
		s.Fields[part+"_disk_free_bytes"] = float64(free)
		s.Fields[part+"_disk_usage_percent"] = math.Round((1-float64(free)/float64(size))*1000) / 10
	}
}

// disks reports the bytes read from and written to each physical disk.
// https://docs.kernel.org/admin-guide/iostats.html
func (d *dev) disks(s *driver.Sample) {
	const sector = 512 // bytes; always, whatever the disk's sector size
	for line := range strings.Lines(d.text("proc/diskstats")) {
		f := strings.Fields(line)
		if len(f) < 10 || !d.exists("sys/block", f[2], "device") {
			continue
		}
		set(s, hardware.Disk(f[2])+"_read_bytes", f[5], sector)
		set(s, hardware.Disk(f[2])+"_written_bytes", f[9], sector)
		d.wear(s, f[2])
	}
}

// network reports the bytes received and sent by each physical interface. In a container
// with the host's /proc, process 1 is in the host's network namespace.
func (d *dev) network(s *driver.Sample) {
	text := d.text("proc/1/net/dev")
	if text == "" {
		text = d.text("proc/net/dev")
	}
	for line := range strings.Lines(text) {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), ":")
		f := strings.Fields(rest)
		if !ok || len(f) < 16 || !d.exists("sys/class/net", name, "device") {
			continue
		}
		part := hardware.KeyPart(name)
		set(s, part+"_received_bytes", f[0], 1)
		set(s, part+"_sent_bytes", f[8], 1)
		in, err1 := strconv.ParseUint(f[2], 10, 64)
		out, err2 := strconv.ParseUint(f[10], 10, 64)
		if err1 == nil && err2 == nil {
			s.Fields[part+"_network_errors"] = float64(in) + float64(out)
		}
	}
}
