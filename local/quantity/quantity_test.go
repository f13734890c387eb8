//go:build linux

// Package quantity tests that a quantity of a computer has one key, whoever reports it:
// the platform before hearth, the edge agent, or Telegraf. A computer that changes from one
// to the other keeps its history.
package quantity

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	sensors "github.com/hearth-home/hearth/functions/sensors"

	"github.com/hearth-home/hearth/edge/kinds"
	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/wire"
)

// computer is what the three report of one computer at one moment.
type computer struct {
	files    map[string]string // of /sys and /proc, for the agent; a name with -> is a link to the content
	smi      string            // output of nvidia-smi
	old      string            // the payload of the platform before hearth
	telegraf string            // lines, without host and time
	want     map[string]float64
	oldOnly  []string           // what the agent cannot know
	theirs   []string           // what Telegraf cannot know
	more     map[string]float64 // what only Telegraf knows
}

// everywhere is what all of these Linux computers report alike.
var (
	proc = map[string]string{
		"proc/meminfo":                     "MemTotal:       16777216 kB\nMemFree:         1000000 kB\nMemAvailable:    8388608 kB\n",
		"proc/loadavg":                     "0.5 0.25 0.125 2/1120 12345\n",
		"proc/uptime":                      "3600.00 1.00\n",
		"proc/stat":                        "cpu  1000 0 0 9000 0 0 0 0 0 0\n",
		"proc/net/dev":                     "a\nb\n  eth0: 1000 9 3 0 0 0 0 0 2000 9 4 0 0 0 0 0\n",
		"proc/diskstats":                   " 259 0 nvme0n1 100 0 2 10 50 0 4 10 0 20 20\n",
		"sys/class/net/eth0/device/vendor": "0x10ec\n",
		"sys/block/nvme0n1/device/model":   "x\n",
		"sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "1800000\n",
	}
	// What psutil calls used is what is not available, too.
	alike = `
mem available=8589934592i,total=17179869184i,used=1i,used_percent=1
system load1=0.5,load5=0.25,load15=0.125,n_cpus=8i,n_physical_cpus=4i
system uptime=3600i
cpu,cpu=cpu-total usage_idle=80,usage_user=20
net,interface=eth0 bytes_recv=1000i,bytes_sent=2000i,err_in=3i,err_out=4i
diskio,name=nvme0n1 read_bytes=1024i,write_bytes=2048i
disk,path=/,device=nvme0n1p2,fstype=ext4,mode=rw free=250i,total=1000i,used=700i,used_percent=73.6
`
	always = map[string]float64{
		"memory_available_bytes": 8589934592, "memory_total_bytes": 17179869184, "memory_used_bytes": 8589934592, "memory_usage_percent": 50,
		"load_1m": 0.5, "load_5m": 0.25, "load_15m": 0.125, "uptime_seconds": 3600, "cpu_usage_percent": 20, "cpu_cores": 4,
		"eth0_received_bytes": 1000, "eth0_sent_bytes": 2000, "eth0_network_errors": 7, "nvme_read_bytes": 1024, "nvme_written_bytes": 2048,
	}
)

var computers = map[string]computer{
	"a Raspberry Pi 5": {
		files: map[string]string{
			"sys/class/thermal/thermal_zone0/type": "cpu-thermal\n", "sys/class/thermal/thermal_zone0/temp": "51000\n",
			"sys/class/hwmon/hwmon0/name": "cpu_thermal\n", "sys/class/hwmon/hwmon0/temp1_input": "51000\n",
			"sys/class/hwmon/hwmon1/name": "rp1_adc\n", "sys/class/hwmon/hwmon1/temp1_input": "48000\n",
			"sys/class/hwmon/hwmon2/name": "pwmfan\n", "sys/class/hwmon/hwmon2/fan1_input": "2900\n",
			"sys/class/hwmon/hwmon3/name": "nvme\n", "sys/class/hwmon/hwmon3/temp1_input": "40000\n", "sys/class/hwmon/hwmon3/temp1_label": "Composite\n",
			"sys/class/hwmon/hwmon3/temp2_input": "41000\n", "sys/class/hwmon/hwmon3/temp2_label": "Sensor 1\n",
		},
		old: `{"cpuTemp":51,"cpuFreq":1800,"cpuUse":20,"ramUse":8}`,
		telegraf: `
temp,sensor=cpu_thermal temp=51
temp,sensor=rp1_adc temp=48
temp,sensor=nvme_composite temp=40
temp,sensor=nvme_sensor_1 temp=41
sensors,chip=cpu_thermal-virtual-0,feature=temp1 temp_input=51
sensors,chip=pwmfan-isa-0000,feature=fan1 fan_input=2900
sensors,chip=nvme-pci-10100,feature=composite temp_input=40,temp_crit=84
`,
		want: map[string]float64{"cpu_temperature_celsius": 51, "rp1_adc_temperature_celsius": 48, "nvme_temperature_celsius": 40, "nvme_sensor_1_temperature_celsius": 41,
			"fan_rpm": 2900, "cpu_frequency_hertz": 1.8e9},
		theirs: []string{"cpu_frequency_hertz"},
	},
	"an Orange Pi 5": {
		files: map[string]string{
			"sys/class/thermal/thermal_zone0/type": "soc-thermal\n", "sys/class/thermal/thermal_zone0/temp": "40000\n",
			"sys/class/thermal/thermal_zone1/type": "bigcore0-thermal\n", "sys/class/thermal/thermal_zone1/temp": "41000\n",
			"sys/class/thermal/thermal_zone2/type": "bigcore1-thermal\n", "sys/class/thermal/thermal_zone2/temp": "42000\n",
			"sys/class/thermal/thermal_zone3/type": "littlecore-thermal\n", "sys/class/thermal/thermal_zone3/temp": "43000\n",
			"sys/class/thermal/thermal_zone4/type": "center-thermal\n", "sys/class/thermal/thermal_zone4/temp": "44000\n",
			"sys/class/thermal/thermal_zone5/type": "gpu-thermal\n", "sys/class/thermal/thermal_zone5/temp": "45000\n",
			"sys/class/thermal/thermal_zone6/type": "npu-thermal\n", "sys/class/thermal/thermal_zone6/temp": "46000\n",
			"sys/class/hwmon/hwmon0/name": "soc_thermal\n", "sys/class/hwmon/hwmon0/temp1_input": "40000\n",
			"sys/class/hwmon/hwmon1/name": "nvme\n", "sys/class/hwmon/hwmon1/temp1_input": "47000\n", "sys/class/hwmon/hwmon1/temp1_label": "Composite\n",
			"sys/devices/system/cpu/cpufreq/policy4/scaling_cur_freq": "2400000\n", "sys/devices/system/cpu/cpufreq/policy6/scaling_cur_freq": "2304000\n",
			"sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq": "1800000\n", "sys/devices/system/cpu/cpufreq/policy4/cpuinfo_max_freq": "2400000\n",
			"sys/devices/system/cpu/cpufreq/policy6/cpuinfo_max_freq": "2352000\n",
		},
		old: `{"SOC":40,"bigCore0":41,"bigCore1":42,"littleCore":43,"Center":44,"GPU":45,"NPU":46,"NVME":47,"littleCoreFreq":1800,"bigCore0Freq":2400,"bigCore1Freq":2304,"cpuUse":20,"ramUse":8}`,
		telegraf: `
temp,sensor=soc_thermal temp=40
temp,sensor=bigcore0_thermal temp=41
temp,sensor=bigcore1_thermal temp=42
temp,sensor=littlecore_thermal temp=43
temp,sensor=center_thermal temp=44
temp,sensor=gpu_thermal temp=45
temp,sensor=npu_thermal temp=46
temp,sensor=nvme_composite temp=47
`,
		want: map[string]float64{"soc_temperature_celsius": 40, "big_core_0_temperature_celsius": 41, "big_core_1_temperature_celsius": 42, "little_core_temperature_celsius": 43,
			"center_temperature_celsius": 44, "gpu_temperature_celsius": 45, "npu_temperature_celsius": 46, "nvme_temperature_celsius": 47,
			"little_core_frequency_hertz": 1.8e9, "big_core_0_frequency_hertz": 2.4e9, "big_core_1_frequency_hertz": 2.304e9, "cpu_frequency_hertz": 2.168e9},
		theirs: []string{"little_core_frequency_hertz", "big_core_0_frequency_hertz", "big_core_1_frequency_hertz", "cpu_frequency_hertz"},
	},
	"a Rock 5 with a recent kernel": {
		files: map[string]string{
			"sys/class/thermal/thermal_zone0/type": "package-thermal\n", "sys/class/thermal/thermal_zone0/temp": "40000\n",
			"sys/class/thermal/thermal_zone1/type": "bigcore0-thermal\n", "sys/class/thermal/thermal_zone1/temp": "41000\n",
			"sys/class/thermal/thermal_zone2/type": "bigcore2-thermal\n", "sys/class/thermal/thermal_zone2/temp": "42000\n",
			"sys/class/thermal/thermal_zone3/type": "littlecore-thermal\n", "sys/class/thermal/thermal_zone3/temp": "43000\n",
			"sys/devices/system/cpu/cpufreq/policy4/scaling_cur_freq": "2400000\n", "sys/devices/system/cpu/cpufreq/policy6/scaling_cur_freq": "2400000\n", // their greatest is not known
		},
		old: `{"SOC":40,"bigCore0":41,"bigCore1":42,"littleCore":43,"littleCoreFreq":1800,"bigCore0Freq":2400,"bigCore1Freq":2400}`,
		telegraf: `
temp,sensor=package_thermal temp=40
temp,sensor=bigcore0_thermal temp=41
temp,sensor=bigcore2_thermal temp=42
temp,sensor=littlecore_thermal temp=43
`,
		want: map[string]float64{"soc_temperature_celsius": 40, "big_core_0_temperature_celsius": 41, "big_core_1_temperature_celsius": 42, "little_core_temperature_celsius": 43,
			"little_core_frequency_hertz": 1.8e9, "big_core_0_frequency_hertz": 2.4e9, "big_core_1_frequency_hertz": 2.4e9, "cpu_frequency_hertz": 2.2e9},
		theirs: []string{"little_core_frequency_hertz", "big_core_0_frequency_hertz", "big_core_1_frequency_hertz", "cpu_frequency_hertz"},
	},
	"an Intel PC with NVIDIA cards and two NVMes": {
		files: map[string]string{
			"sys/class/thermal/thermal_zone0/type": "acpitz\n", "sys/class/thermal/thermal_zone0/temp": "27800\n",
			"sys/class/thermal/thermal_zone1/type": "acpitz\n", "sys/class/thermal/thermal_zone1/temp": "29800\n",
			"sys/class/thermal/thermal_zone2/type": "x86_pkg_temp\n", "sys/class/thermal/thermal_zone2/temp": "50000\n",
			"sys/class/thermal/thermal_zone3/type": "iwlwifi_1\n", "sys/class/thermal/thermal_zone3/temp": "38000\n",
			"sys/class/hwmon/hwmon0/name": "acpitz\n", "sys/class/hwmon/hwmon0/temp1_input": "27800\n", "sys/class/hwmon/hwmon0/temp2_input": "29800\n",
			"sys/class/hwmon/hwmon1/name": "nvme\n", "sys/class/hwmon/hwmon1/temp1_input": "40000\n", "sys/class/hwmon/hwmon1/temp1_label": "Composite\n", "sys/class/hwmon/hwmon1/device->": "../../nvme1",
			"sys/class/hwmon/hwmon10/name": "nvme\n", "sys/class/hwmon/hwmon10/temp1_input": "38850\n", "sys/class/hwmon/hwmon10/temp1_label": "Composite\n", "sys/class/hwmon/hwmon10/device->": "../../nvme0",
			"sys/class/hwmon/hwmon2/name": "coretemp\n", "sys/class/hwmon/hwmon2/temp1_input": "50000\n", "sys/class/hwmon/hwmon2/temp1_label": "Package id 0\n",
			"sys/class/hwmon/hwmon2/temp2_input": "47000\n", "sys/class/hwmon/hwmon2/temp2_label": "Core 0\n",
			"sys/class/hwmon/hwmon3/name": "drivetemp\n", "sys/class/hwmon/hwmon3/temp1_input": "33000\n", "sys/class/hwmon/hwmon3/device/block/sda/size": "1\n",
		},
		smi: "0, NVIDIA GeForce RTX 3060, 60, 42, 2048, 12288, 361.2, 1905\n1, Tesla, 61, [N/A], 10, 20, [N/A], 900\n",
		old: `{"cpu_utilization":20,"ram_utilization":8,"cpu_freq":1800,"cpu_temp":50,"nvme_temp":38.85,"core_count":4,"gpu_temp":60,"gpu_load":0.42,"gpu_vram":2,"gpu_power":361.2,"gpu_clock":1905}`,
		telegraf: `
temp,sensor=coretemp_package_id_0,device=coretemp.0 temp=50
temp,sensor=coretemp_core_0,device=coretemp.0 temp=47
temp,sensor=coretemp_physicalid0_input temp=50
temp,sensor=coretemp_physicalid0_crit temp=100
temp,sensor=coretemp_physicalid0_crit_alarm temp=0
temp,sensor=acpitz,device=thermal_zone0 temp=27.8
temp,sensor=iwlwifi_1 temp=38
temp,sensor=nvme_composite,device=nvme1 temp=40
temp,sensor=nvme_composite,device=nvme0 temp=38.85
sensors,chip=nvme-pci-0300,feature=composite temp_input=40
sensors,chip=nvme-pci-0100,feature=composite temp_input=38.85
sensors,chip=coretemp-isa-0000,feature=package_id_0 temp_input=50,temp_crit=100
sensors,chip=coretemp-isa-0000,feature=core_0 temp_input=47
sensors,chip=iwlwifi_1-virtual-0,feature=temp1 temp_input=38
sensors,chip=acpitz-acpi-0,feature=temp1 temp_input=27.8
sensors,chip=acpitz-acpi-0,feature=temp2 temp_input=29.8
smart_device,device=sda,model=x,serial_no=1 temp_c=33i,health_ok=true
smart_device,device=nvme0,model=x,serial_no=2 temp_c=38.85,percentage_used=3i
nvidia_smi,index=0,name=RTX,uuid=GPU-0 temperature_gpu=60i,utilization_gpu=42i,memory_used=2048i,memory_total=12288i,power_draw=361.2,clocks_current_graphics=1905i,fan_speed=30i
nvidia_smi,index=1,name=Tesla,uuid=GPU-1 temperature_gpu=61i,memory_used=10i,memory_total=20i,clocks_current_graphics=900i
`,
		want: map[string]float64{"acpi_temperature_celsius": 27.8, "acpi_1_temperature_celsius": 29.8, "cpu_temperature_celsius": 50, "cpu_core_0_temperature_celsius": 47, "wifi_temperature_celsius": 38,
			"nvme_temperature_celsius": 38.85, "nvme_1_temperature_celsius": 40, "sda_temperature_celsius": 33, "cpu_frequency_hertz": 1.8e9,
			"gpu_temperature_celsius": 60, "gpu_usage_percent": 42, "gpu_memory_used_bytes": 2 << 30, "gpu_memory_total_bytes": 12 << 30, "gpu_power_watts": 361.2, "gpu_frequency_hertz": 1.905e9,
			"gpu_1_temperature_celsius": 61, "gpu_1_memory_used_bytes": 10 << 20, "gpu_1_memory_total_bytes": 20 << 20, "gpu_1_frequency_hertz": 9e8},
		more:   map[string]float64{"nvme_life_used_percent": 3},
		theirs: []string{"cpu_frequency_hertz"},
	},
	"an AMD mini PC": {
		files: map[string]string{
			"sys/class/hwmon/hwmon0/name": "k10temp\n", "sys/class/hwmon/hwmon0/temp1_input": "50000\n", "sys/class/hwmon/hwmon0/temp1_label": "Tctl\n",
			"sys/class/hwmon/hwmon1/name": "nvme\n", "sys/class/hwmon/hwmon1/temp1_input": "40000\n", "sys/class/hwmon/hwmon1/temp1_label": "Composite\n",
			"sys/class/hwmon/hwmon2/name": "amdgpu\n", "sys/class/hwmon/hwmon2/temp1_input": "45000\n", "sys/class/hwmon/hwmon2/temp1_label": "edge\n", "sys/class/hwmon/hwmon2/device->": "../../../0000:04:00.0",
			"sys/class/hwmon/hwmon2/power1_average": "7000000\n", "sys/class/hwmon/hwmon2/freq1_input": "852000000\n",
			"sys/0000:04:00.0/gpu_busy_percent": "3\n", "sys/0000:04:00.0/mem_info_vram_used": "17809408\n", "sys/0000:04:00.0/mem_info_vram_total": "17163091968\n",
			"sys/class/hwmon/hwmon3/name": "mt7921_phy0\n", "sys/class/hwmon/hwmon3/temp1_input": "41000\n",
			"sys/class/hwmon/hwmon4/name": "amdgpu\n", "sys/class/hwmon/hwmon4/temp1_input": "55000\n", "sys/class/hwmon/hwmon4/temp1_label": "edge\n", "sys/class/hwmon/hwmon4/device->": "../../../0000:09:00.0",
		},
		old: `{"nvme_temp":40,"cpu_temp":50,"amd_gpu_temp":45,"cpu_util":20,"cpu_freq":1800,"ram_util":8,"core_count":4}`,
		telegraf: `
temp,sensor=k10temp_tctl temp=50
temp,sensor=amdgpu_edge,device=0000:09:00.0 temp=55
temp,sensor=amdgpu_edge,device=0000:04:00.0 temp=45
temp,sensor=mt7921_phy0 temp=41
sensors,chip=k10temp-pci-00c3,feature=tctl temp_input=50
sensors,chip=amdgpu-pci-0900,feature=edge temp_input=55
sensors,chip=amdgpu-pci-0400,feature=edge temp_input=45
sensors,chip=nvme-pci-0100,feature=composite temp_input=40
sensors,chip=mt7921_phy0-pci-0200,feature=temp1 temp_input=41
amd_rocm_smi,gpu_id=0x6861,name=card0 clocks_current_sm=852i,fan_speed=14i,memory_total=17163091968i,memory_used=17809408i,power_draw=7,temperature_sensor_edge=45,utilization_gpu=3i
`,
		want:   map[string]float64{"cpu_temperature_celsius": 50, "amd_gpu_temperature_celsius": 45, "amd_gpu_1_temperature_celsius": 55, "amd_gpu_usage_percent": 3, "amd_gpu_memory_used_bytes": 17809408, "amd_gpu_memory_total_bytes": 17163091968, "amd_gpu_power_watts": 7, "amd_gpu_frequency_hertz": 852e6, "nvme_temperature_celsius": 40, "wifi_temperature_celsius": 41, "cpu_frequency_hertz": 1.8e9},
		theirs: []string{"cpu_frequency_hertz"},
	},
	"an Intel PC with efficient cores": {
		files: map[string]string{
			"sys/devices/cpu_atom/cpus": "2-5\n", "sys/devices/cpu_core/cpus": "0-1\n",
			"sys/devices/system/cpu/cpufreq/policy1/scaling_cur_freq": "5000000\n", "sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "4800000\n",
			"sys/devices/system/cpu/cpufreq/policy2/scaling_cur_freq": "3900000\n", "sys/devices/system/cpu/cpufreq/policy3/scaling_cur_freq": "3900000\n",
			"sys/devices/system/cpu/cpufreq/policy4/scaling_cur_freq": "3900000\n", "sys/devices/system/cpu/cpufreq/policy5/scaling_cur_freq": "3900000\n",
			"sys/class/hwmon/hwmon2/name": "coretemp\n", "sys/class/hwmon/hwmon2/temp1_input": "47000\n", "sys/class/hwmon/hwmon2/temp1_label": "Core 0\n",
			"sys/class/hwmon/hwmon2/temp2_input": "49000\n", "sys/class/hwmon/hwmon2/temp2_label": "Core 4\n",
		},
		smi: "0, RTX, 60, 50, 2048, 12288, 200, 1900\n",
		old: `{"gpuTemp":60,"cpuTemp":49,"cpuFreqBig":4900,"cpuFreqLittle":3900,"gpuLoad":0.5,"cpuLoad":0.20,"ramUtilization":8,"vramUtilization":2,"gpuClock":1900,"gpuPower":200,"fps":60}`,
		want: map[string]float64{"big_core_frequency_hertz": 4.9e9, "little_core_frequency_hertz": 3.9e9, "cpu_frequency_hertz": 25.4e9 / 6, "cpu_temperature_celsius": 49,
			"cpu_core_0_temperature_celsius": 47, "cpu_core_4_temperature_celsius": 49,
			"gpu_temperature_celsius": 60, "gpu_usage_percent": 50, "gpu_memory_used_bytes": 2 << 30, "gpu_memory_total_bytes": 12 << 30, "gpu_power_watts": 200, "gpu_frequency_hertz": 1.9e9},
		oldOnly: []string{"frames_per_second"},
		telegraf: `
sensors,chip=coretemp-isa-0000,feature=core_0 temp_input=47
sensors,chip=coretemp-isa-0000,feature=core_4 temp_input=49
nvidia_smi,name=RTX temperature_gpu=60i,utilization_gpu=50i,memory_used=2048i,memory_total=12288i,power_draw=200,clocks_current_graphics=1900i
`,
		theirs: []string{"cpu_temperature_celsius", "big_core_frequency_hertz", "little_core_frequency_hertz", "cpu_frequency_hertz"},
	},
}

func TestAQuantityHasOneKeyWhoeverReportsIt(t *testing.T) {
	for name, c := range computers {
		t.Run(name, func(t *testing.T) {
			want := maps.Clone(always)
			maps.Copy(want, c.want)
			agent := c.agent(t)
			for k := range agent { // of this machine's disk
				if strings.HasPrefix(k, "root_disk_") {
					want[k] = agent[k]
				}
			}
			compare(t, "the agent", agent, want, nil)
			old := stored(t, "nodes/x", c.old)
			for k, v := range old {
				if !slices.Contains(c.oldOnly, k) && agent[k] != v {
					t.Errorf("the platform before hearth: %s is %v, the agent has %v", k, v, agent[k])
				}
			}
			theirs := stored(t, "telegraf/x", lines(alike+c.telegraf))
			maps.Copy(want, c.more)
			maps.Copy(want, map[string]float64{"root_disk_free_bytes": 250, "root_disk_size_bytes": 1000, "root_disk_usage_percent": 75})
			compare(t, "Telegraf", theirs, want, c.theirs)
		})
	}
}

// compare compares all but the absent.
func compare(t *testing.T, who string, got, want map[string]float64, absent []string) {
	t.Helper()
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if v, ok := got[k]; !slices.Contains(absent, k) && (!ok || v-want[k] > 1e-6*want[k] || want[k]-v > 1e-6*want[k]) {
			t.Errorf("%s: %s is %v, %v, want %v", who, k, v, ok, want[k])
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[k]; !ok || slices.Contains(absent, k) {
			t.Errorf("%s: %s is not expected", who, k)
		}
	}
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// stored returns the fields that a message brings.
func stored(t *testing.T, topic, payload string) map[string]float64 {
	t.Helper()
	f := batchtest.Serve(t, sensors.New, batchtest.SQLite(t))
	if a := f.Post(t, wire.Message{Topic: topic, Payload: []byte(payload), Time: noon, QoS: 1}); len(a.Rejected) > 0 {
		t.Errorf("%s: %v", topic, a.Rejected)
	}
	rs, err := f.Store.Between(t.Context(), "host", nil, noon.Add(-time.Hour), noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]float64{}
	for _, r := range rs {
		maps.Copy(fields, r.Fields)
	}
	return fields
}

// lines adds a host and a time to metrics.
func lines(metrics string) string {
	var b strings.Builder
	for line := range strings.Lines(metrics) {
		if line = strings.TrimSpace(line); line != "" {
			i := strings.IndexAny(line, ", ")
			b.WriteString(line[:i] + ",host=x" + line[i:] + " 1795435200000000000\n")
		}
	}
	return b.String()
}

// agent returns what the agent's sensor host reads on the second time.
func (c computer) agent(t *testing.T) map[string]float64 {
	t.Helper()
	root := t.TempDir()
	write := func(name, content string) {
		path := filepath.Join(root, strings.TrimSuffix(name, "->"))
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil && strings.HasSuffix(name, "->") {
			err = os.Symlink(content, path)
		} else if err == nil {
			err = os.WriteFile(path, []byte(content), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, files := range []map[string]string{proc, c.files} {
		for name, content := range files {
			write(name, content)
		}
	}
	for i, threads := range []string{"0,4", "1,5", "2,6", "3,7", "0,4", "1,5", "2,6", "3,7"} {
		write("sys/devices/system/cpu/cpu"+string(rune('0'+i))+"/topology/core_cpus_list", threads+"\n")
	}
	smi := "none-here"
	if c.smi != "" {
		write("bin/nvidia-smi", "#!/bin/sh\ncat <<'END'\n"+c.smi+"END\n")
		smi = filepath.Join(root, "bin", "nvidia-smi")
	}
	list, err := kinds.Parse(map[string]string{"SENSOR_0_KIND": "host", "SENSOR_0_ROOT": root, "SENSOR_0_NVIDIA_SMI": smi}, secret.NewFolder(t.TempDir()), false)
	if err != nil {
		t.Fatal(err)
	}
	sensor, err := list[0].Open(kinds.Real(t.TempDir(), func() (time.Time, bool) { return noon, true }))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sensor.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	write("proc/stat", "cpu  1020 0 0 9080 0 0 0 0 0 0\n")
	s, err := sensor.Read(t.Context())
	if err != nil || s.CheckKeys() != nil {
		t.Fatalf("%v, %v", err, s.CheckKeys())
	}
	return s.Fields
}
