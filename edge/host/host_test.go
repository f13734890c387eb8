package host

import (
	"context"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hearth-home/hearth/edge/driver"
	"github.com/hearth-home/hearth/edge/sim"
)

// pc is the /proc and /sys of a PC with two NVMe disks, a Wi-Fi card that is
// off, and an eMMC.
var pc = map[string]string{
	"sys/class/thermal/thermal_zone0/type":                    "acpitz\n",
	"sys/class/thermal/thermal_zone0/temp":                    "27800\n",
	"sys/class/thermal/thermal_zone1/type":                    "acpitz\n",
	"sys/class/thermal/thermal_zone1/temp":                    "29800\n",
	"sys/class/thermal/thermal_zone2/type":                    "iwlwifi_1\n",
	"sys/class/thermal/thermal_zone2/temp":                    "",
	"sys/class/hwmon/hwmon0/name":                             "k10temp\n",
	"sys/class/hwmon/hwmon0/temp1_input":                      "44625\n",
	"sys/class/hwmon/hwmon0/temp1_label":                      "Tctl\n",
	"sys/class/hwmon/hwmon1/name":                             "nvme\n",
	"sys/class/hwmon/hwmon1/temp1_input":                      "38850\n",
	"sys/class/hwmon/hwmon1/temp1_label":                      "Composite\n",
	"sys/class/hwmon/hwmon2/name":                             "nvme\n",
	"sys/class/hwmon/hwmon2/temp1_input":                      "41850\n",
	"sys/class/hwmon/hwmon2/temp1_label":                      "Composite\n",
	"sys/class/hwmon/hwmon3/name":                             "acpitz\n",
	"sys/class/hwmon/hwmon3/temp1_input":                      "99000\n",
	"sys/class/hwmon/hwmon4/name":                             "nct6775\n",
	"sys/class/hwmon/hwmon4/fan2_input":                       "842\n",
	"sys/class/hwmon/hwmon4/temp2_input":                      "400000\n",
	"sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "1800000\n",
	"sys/devices/system/cpu/cpufreq/policy1/scaling_cur_freq": "2400000\n",
	"sys/devices/system/cpu/cpu0/topology/core_cpus_list":     "0,2\n",
	"sys/devices/system/cpu/cpu1/topology/core_cpus_list":     "1,3\n",
	"sys/devices/system/cpu/cpu2/topology/core_cpus_list":     "0,2\n",
	"sys/devices/system/cpu/cpu3/topology/core_cpus_list":     "1,3\n",
	"sys/block/mmcblk0/device/life_time":                      "0x01 0x02\n",
	"sys/class/net/enp1s0/device/vendor":                      "0x10ec\n",
	"proc/loadavg":                                            "0.52 0.58 0.59 2/1120 12345\n",
	"proc/uptime":                                             "350735.47 234388.90\n",
	"proc/stat":                                               "cpu  1000 0 500 8000 500 0 0 0 77 0\ncpu0 1 2 3 4\n",
	"proc/meminfo":                                            "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    4000000 kB\n",
	"proc/diskstats":                                          " 179 0 mmcblk0 100 0 2000 10 50 0 4000 10 0 20 20\n   7 0 loop0 1 0 8 0 0 0 0 0 0 0 0\n",
	"proc/net/dev":                                            "Inter-| Receive\n face |bytes\n    lo: 5 1 0 0 0 0 0 0 5 1 0 0 0 0 0 0\nenp1s0: 123456789012 9 3 0 0 0 0 0 987 9 4 0 0 0 0 0\nveth1: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n",
}

func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestReadAPC(t *testing.T) {
	root := tree(t, pc)
	for chip, device := range map[string]string{"hwmon1": "nvme0", "hwmon2": "nvme1"} {
		if err := os.Symlink("../../"+device, filepath.Join(root, hwmonDir, chip, "device")); err != nil {
			t.Fatal(err)
		}
	}
	d := newDev(Config{Root: root, Mounts: []string{"/", "/mnt/data", "/gone"}, Statfs: func(mount string) (uint64, uint64, error) {
		if mount == "/gone" {
			return 0, 0, errors.New("gone")
		}
		return 1000, 250, nil
	}})
	s, err := d.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{
		"acpi_temperature_celsius": 27.8, "acpi_1_temperature_celsius": 29.8,
		"cpu_temperature_celsius":  44.625,
		"nvme_temperature_celsius": 38.85, "nvme_1_temperature_celsius": 41.85,
		"nct6775_temp2_temperature_celsius": 400, "nct6775_2_fan_rpm": 842,
		"cpu_frequency_hertz": 2.1e9, "cpu_cores": 2,
		"mmcblk0_life_used_percent": 20, "mmcblk0_read_bytes": 1024000, "mmcblk0_written_bytes": 2048000,
		"load_1m": 0.52, "load_5m": 0.58, "load_15m": 0.59, "uptime_seconds": 350735.47,
		"memory_total_bytes": 16384000000, "memory_available_bytes": 4096000000, "memory_used_bytes": 12288000000, "memory_usage_percent": 75,
		"root_disk_size_bytes": 1000, "root_disk_free_bytes": 250, "root_disk_usage_percent": 75,
		"mnt_data_disk_size_bytes": 1000, "mnt_data_disk_free_bytes": 250, "mnt_data_disk_usage_percent": 75,
		"enp1s0_received_bytes": 123456789012, "enp1s0_sent_bytes": 987, "enp1s0_network_errors": 7,
	}
	if diff := cmp.Diff(want, s.Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if err := s.CheckKeys(); err != nil {
		t.Error(err)
	}
	if s.Quality != driver.Suspect || !strings.Contains(s.Reason, "nct6775_temp2") {
		t.Errorf("400 degrees: %s %q", s.Quality, s.Reason)
	}
	stat := filepath.Join(root, "proc/stat")
	if err := os.WriteFile(stat, []byte("cpu  1060 0 520 8100 520 0 0 0 77 0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err := d.Read(t.Context()); err != nil || s.Fields["cpu_usage_percent"] != 40 { // 80 of 200 ticks
		t.Errorf("use is %v, %v; want 40", s.Fields["cpu_usage_percent"], err)
	}
}

func TestChipsOfOneNameWithoutDevicesAreNumbered(t *testing.T) {
	s, err := newDev(Config{Root: tree(t, pc), Mounts: nil}).Read(t.Context())
	if err != nil || s.Fields["nvme_temperature_celsius"] != 38.85 || s.Fields["nvme_1_temperature_celsius"] != 41.85 {
		t.Errorf("got %v, %v", s.Fields, err)
	}
}

func TestReadTheSimulatedPi(t *testing.T) {
	clock := sim.NewVirtual()
	pi := sim.NewHost(1, clock)
	d := newDev(Config{FS: pi, Statfs: pi.Statfs, Mounts: []string{"/"}})
	for i := range 20 {
		s, err := d.Read(t.Context())
		if err != nil || s.Quality != driver.OK || s.CheckKeys() != nil {
			t.Fatalf("got %+v, %v, %v", s, err, s.CheckKeys())
		}
		f := s.Fields
		if f["cpu_temperature_celsius"] < 40 || f["nvme_temperature_celsius"] < 30 || f["fan_rpm"] < 1000 ||
			f["undervoltage"] != 0 || f["eth0_received_bytes"] < 1e6 || f["nvme_written_bytes"] < 1e6 || f["root_disk_usage_percent"] < 30 {
			t.Errorf("got %v", f)
		}
		if u, ok := f["cpu_usage_percent"]; ok != (i > 0) || ok && math.Abs(u-25) > 5 {
			t.Errorf("read %d: use %v %v", i, u, ok)
		}
		clock.Wait(t.Context(), time.Minute)
	}
	pi.Set(sim.WarmUp | sim.NACK)
	s, err := d.Read(t.Context())
	if _, ok := s.Fields["cpu_temperature_celsius"]; err != nil || ok || s.Fields["undervoltage"] != 1 {
		t.Errorf("with EINVAL and undervoltage: %v, %v", s.Fields, err)
	}
}

func TestNothingReadableIsAnError(t *testing.T) {
	_, err := newDev(Config{Root: t.TempDir(), Statfs: func(string) (uint64, uint64, error) { return 0, 0, errors.New("no") }}).Read(t.Context())
	if err == nil || !strings.Contains(err.Error(), "check ROOT") {
		t.Errorf("err = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newDev(Config{Root: "/"}).Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want canceled", err)
	}
}

func TestThisMachine(t *testing.T) {
	if _, err := os.Stat("/proc/loadavg"); err != nil {
		t.Skip("no /proc")
	}
	s, err := newDev(Config{Mounts: []string{"/"}}).Read(t.Context())
	if err != nil || s.Fields["memory_total_bytes"] < 1e6 || s.Fields["root_disk_size_bytes"] < 1e6 || s.CheckKeys() != nil {
		t.Errorf("got %+v, %v, %v", s, err, s.CheckKeys())
	}
}

func TestNVIDIA(t *testing.T) {
	s := driver.New()
	err := parseNVIDIA("0, NVIDIA GeForce RTX 3060, 47, 12, 1034, 12288, 36.1, 210\n1, Tesla, 60, [N/A], 10, 20, [N/A], 900\n", &s)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{
		"gpu_temperature_celsius": 47, "gpu_usage_percent": 12, "gpu_memory_used_bytes": 1034 << 20, "gpu_memory_total_bytes": 12288 << 20,
		"gpu_power_watts": 36.1, "gpu_frequency_hertz": 210e6,
		"gpu_1_temperature_celsius": 60, "gpu_1_memory_used_bytes": 10 << 20, "gpu_1_memory_total_bytes": 20 << 20, "gpu_1_frequency_hertz": 900e6,
	}
	if !maps.Equal(s.Fields, want) || s.Text["gpu_name"] != "NVIDIA GeForce RTX 3060" || s.CheckKeys() != nil {
		t.Errorf("got %+v, %v", s, s.CheckKeys())
	}
	for _, bad := range []string{"", "No devices were found\n", "NVIDIA-SMI has failed because it couldn't communicate with the driver.\n"} {
		if err := parseNVIDIA(bad, &s); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

// smi writes a program that takes the place of nvidia-smi.
func smi(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "nvidia-smi")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNVIDIASMIIsRun(t *testing.T) {
	for name, tt := range map[string]struct {
		program string
		card    bool
		bad     uint64
	}{
		"a card":         {smi(t, `[ "$1" = "--query-gpu=`+nvidiaQuery+`" ] && [ "$2" = "--format=csv,noheader,nounits" ] && echo "0, RTX, 47, 12, 1034, 12288, 36.1, 210"`), true, 0},
		"a dead driver":  {smi(t, "echo failed; exit 9"), false, 1},
		"not installed":  {filepath.Join(t.TempDir(), "nvidia-smi"), false, 0},
		"not wanted":     {"", false, 0},
		"foreign output": {smi(t, "echo hello"), false, 1},
	} {
		d := newDev(Config{Root: tree(t, pc), NVIDIASMI: tt.program})
		s, err := d.Read(t.Context())
		if _, ok := s.Fields["gpu_temperature_celsius"]; err != nil || ok != tt.card || d.Counts().BadFrames != tt.bad {
			t.Errorf("%s: card %v, %v, counts %+v", name, ok, err, d.Counts())
		}
	}
}

// FuzzFiles checks that no content crashes a parser or becomes a number that is not finite.
func FuzzFiles(f *testing.F) {
	for _, content := range pc {
		f.Add(content)
	}
	f.Add("0, RTX, 47, 12, 1034, 12288, 36.1, 210")
	f.Add("NaN inf -inf 1e999")
	f.Fuzz(func(t *testing.T, content string) {
		files := sim.NewFiles()
		for name := range pc {
			files.Put(name, content)
		}
		s := driver.New()
		d := newDev(Config{FS: files, Statfs: func(string) (uint64, uint64, error) { return 1, 1, nil }})
		if got, err := d.Read(t.Context()); err == nil {
			s = got
		}
		parseNVIDIA(content, &s)
		for k, v := range s.Fields {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s is %v of %q", k, v, content)
			}
		}
	})
}
