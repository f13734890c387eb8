package sim

import (
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/hearth-home/hearth/edge/driver"
)

// Host is the /proc and /sys of a Raspberry Pi 5 with an NVMe disk. Its faults: NACK makes
// reads of its temperatures return EINVAL, WarmUp sets the undervoltage alarm.
type Host struct {
	Faults
	*Files
	clock        driver.Clock
	booted       time.Time
	still        frozen
	temp, busy   wave
	usedFraction wave
}

var _ = simulate("host", simulator{
	device: "rack-pi",
	files: func(seed uint64, clock driver.Clock) files {
		h := NewHost(seed, clock)
		return files{h, h.Statfs}
	},
})

// NewHost returns a machine that booted an hour ago.
func NewHost(seed uint64, clock driver.Clock) *Host {
	rng := newRand(seed)
	h := &Host{
		Files: NewFiles(), clock: clock, booted: clock.Now().Add(-time.Hour),
		temp: newWave(rng, 52, 7), busy: newWave(rng, 0.25, 0.2), usedFraction: newWave(rng, 0.42, 0.05),
	}
	h.sys()
	h.proc()
	return h
}

// Statfs returns the space of the root file system in bytes.
func (h *Host) Statfs(mount string) (size, free uint64, err error) {
	if h.has(Unplugged | BadCRC) {
		return 0, 0, syscall.EIO
	}
	if mount != "/" {
		return 0, 0, syscall.ENOENT
	}
	used := h.usedFraction.at(h.now())
	return 62 << 30, uint64((1 - used) * (62 << 30)), nil
}

// Open opens a file or folder. While the machine cannot be read, it fails as on a bad disk.
func (h *Host) Open(name string) (fs.File, error) {
	if h.has(Unplugged | BadCRC) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.EIO}
	}
	return h.Files.Open(name)
}

func (h *Host) now() time.Time { return h.still.time(h.clock.Now(), &h.Faults) }
func (h *Host) up() float64    { return h.now().Sub(h.booted).Seconds() }
func (h *Host) add(n string, f func() string) {
	h.make(n, func() (string, error) { return f() + "\n", nil })
}

func (h *Host) celsius(offset float64) func() (string, error) {
	return func() (string, error) {
		if h.has(NACK) {
			return "", syscall.EINVAL
		}
		return fmt.Sprintf("%d\n", int((h.temp.orHigh(91, &h.Faults, h.now())+offset)*1000)), nil
	}
}

func (h *Host) sys() {
	h.Put("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
	h.make("sys/class/thermal/thermal_zone0/temp", h.celsius(0))
	h.Put("sys/class/thermal/cooling_device0/type", "pwm-fan\n")
	h.Put("sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
	h.make("sys/class/hwmon/hwmon0/temp1_input", h.celsius(0))
	h.Put("sys/class/hwmon/hwmon1/name", "rpi_volt\n")
	h.add("sys/class/hwmon/hwmon1/in0_lcrit_alarm", func() string { return fmt.Sprint(flag(h.has(WarmUp))) })
	h.Put("sys/class/hwmon/hwmon2/name", "nvme\n")
	h.Put("sys/class/hwmon/hwmon2/temp1_label", "Composite\n")
	h.make("sys/class/hwmon/hwmon2/temp1_input", h.celsius(-11))
	h.Put("sys/class/hwmon/hwmon3/name", "pwmfan\n")
	h.add("sys/class/hwmon/hwmon3/fan1_input", func() string { return fmt.Sprint(int(60 * h.temp.at(h.now()))) })
	h.Put("sys/block/nvme0n1/device/model", "simulated\n")
	h.Put("sys/block/loop0/size", "0\n")
	h.Put("sys/class/net/eth0/device/vendor", "0x1de4\n")
	h.Put("sys/class/net/lo/mtu", "65536\n")
	for i := range 4 {
		h.Put(fmt.Sprintf("sys/devices/system/cpu/cpu%d/topology/core_cpus_list", i), fmt.Sprintln(i))
	}
	h.add("sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq", func() string {
		return fmt.Sprint(1500000 + 100000*int(9*h.busy.at(h.now())))
	})
}

func (h *Host) proc() {
	h.add("proc/uptime", func() string { return fmt.Sprintf("%.2f %.2f", h.up(), 3*h.up()) })
	h.add("proc/loadavg", func() string {
		b := 4 * h.busy.at(h.now())
		return fmt.Sprintf("%.2f %.2f %.2f 1/213 4711", b, 0.9*b, 0.8*b)
	})
	h.add("proc/stat", func() string {
		busy := int(h.up() * 400 * h.busy.mean)
		return fmt.Sprintf("cpu  %d 0 0 %d 0 0 0 0 0 0\ncpu0 1 2 3 4", busy, int(h.up()*400)-busy)
	})
	h.add("proc/meminfo", func() string {
		return fmt.Sprintf("MemTotal:        8256432 kB\nMemFree:         1024000 kB\nMemAvailable:    %d kB",
			int(8256432*(1-h.usedFraction.at(h.now()))))
	})
	h.add("proc/diskstats", func() string {
		sectors := int(h.up() * 40)
		return fmt.Sprintf("   7       0 loop0 1 0 8 0 0 0 0 0 0 0 0\n 259       0 nvme0n1 100 0 %d 0 90 0 %d 0 0 0 0", sectors, 2*sectors)
	})
	h.add("proc/net/dev", func() string {
		n := int(h.up() * 9000)
		return "Inter-|   Receive                                                |  Transmit\n" +
			" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n" +
			fmt.Sprintf("    lo: %d 1 0 0 0 0 0 0 %d 1 0 0 0 0 0 0\n", n, n) +
			fmt.Sprintf("  eth0: %d 9 1 0 0 0 0 0 %d 9 2 0 0 0 0 0", n, n/3)
	})
}
