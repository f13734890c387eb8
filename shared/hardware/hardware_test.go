package hardware

import "testing"

func TestPart(t *testing.T) {
	for _, tc := range []struct {
		chip, label string
		n           int
		want        string
	}{
		// A Raspberry Pi, an Orange Pi 5, a Rock 5, other boards: zones and their chips.
		{"cpu-thermal", "", 0, "cpu"}, {"cpu_thermal", "temp1", 0, "cpu"}, {"bcm2835_thermal", "", 0, "cpu"}, {"rp1_adc", "", 0, "rp1_adc"},
		{"soc-thermal", "", 0, "soc"}, {"package-thermal", "", 0, "soc"}, {"soc_thermal", "temp1", 0, "soc"},
		{"bigcore0-thermal", "", 0, "big_core_0"}, {"bigcore1-thermal", "", 0, "big_core_1"}, {"bigcore2-thermal", "", 0, "big_core_1"}, {"bigcore0_thermal", "temp1", 0, "big_core_0"},
		{"bigcore-thermal", "", 0, "big_core"}, {"littlecore-thermal", "", 0, "little_core"}, {"center-thermal", "", 0, "center"}, {"npu-thermal", "", 0, "npu"},
		{"gpu-thermal", "", 0, "gpu"}, {"gpu_thermal", "temp1", 0, "gpu"}, {"GPU-therm", "", 0, "gpu"}, {"CPU-therm", "", 0, "cpu"}, {"cpul_thermal_zone", "", 0, "little_core"},
		{"scpi_sensors", "aml_thermal", 0, "cpu"}, {"ddr-thermal", "", 0, "ddr"}, {"cpu2-thermal", "", 0, "cpu_core_2"},
		// PCs.
		{"x86_pkg_temp", "", 0, "cpu"}, {"x86_pkg_temp", "", 1, "cpu_1"},
		{"coretemp", "Package id 0", 0, "cpu"}, {"coretemp", "Package id 1", 1, "cpu_1"}, {"coretemp", "Package id 1", 0, "cpu_1"}, {"coretemp", "Physical id 0", 0, "cpu"},
		{"coretemp", "Core 11", 0, "cpu_core_11"}, {"coretemp", "Core 3", 1, "cpu_1_core_3"},
		{"k10temp", "Tctl", 0, "cpu"}, {"k10temp", "", 0, "cpu"}, {"k10temp", "temp1", 1, "cpu_1"}, {"k10temp", "Tdie", 0, "cpu_die"}, {"k10temp", "Tccd1", 0, "cpu_ccd_1"}, {"zenpower", "Tdie", 0, "cpu_die"},
		{"acpitz", "", 0, "acpi"}, {"acpitz", "", 1, "acpi_1"}, {"acpitz", "temp1", 0, "acpi"}, {"acpitz", "temp2", 0, "acpi_1"},
		{"pch_cannonlake", "temp1", 0, "chipset"}, {"jc42", "", 1, "memory_1"}, {"spd5118", "temp1", 0, "memory"}, {"r8169_0_100:00", "", 0, "ethernet"},
		{"iwlwifi_1", "", 0, "wifi"}, {"iwlwifi_1", "temp1", 0, "wifi"}, {"mt7921_phy0", "", 0, "wifi"}, {"ath11k_hwmon", "", 1, "wifi_1"}, {"iwlwifi", "", 0, "wifi"},
		{"nvme", "Composite", 0, "nvme"}, {"nvme", "Composite", 1, "nvme_1"}, {"nvme", "Sensor 2", 1, "nvme_1_sensor_2"}, {"nvme", "", 0, "nvme"}, {"drivetemp", "temp1", 2, "disk_2"},
		{"amdgpu", "edge", 0, "amd_gpu"}, {"amdgpu", "junction", 1, "amd_gpu_1_junction"}, {"amdgpu", "mem", 0, "amd_gpu_memory"}, {"radeon", "", 0, "amd_gpu"}, {"nouveau", "", 0, "gpu"}, {"i915", "pkg", 0, "intel_gpu"},
		{"nct6775", "SYSTIN", 0, "nct6775_systin"}, {"nct6775", "temp2", 0, "nct6775_temp2"}, {"nct6775", "TSI0_TEMP", 0, "nct6775_tsi0_temp"}, {"xenon", "", 0, "xenon"},
		// One name for chip and label, as Telegraf's plugin temp writes it in its two formats.
		{"coretemp_package_id_0", "", 0, "cpu"}, {"coretemp_packageid1", "", 0, "cpu_1"}, {"coretemp_physicalid0", "", 0, "cpu"}, {"coretemp_core3", "", 0, "cpu_core_3"}, {"coretemp_core_3", "", 0, "cpu_core_3"},
		{"k10temp_tctl", "", 0, "cpu"}, {"k10temp_tccd1", "", 0, "cpu_ccd_1"}, {"nvme_composite", "", 0, "nvme"}, {"nvme_sensor1", "", 0, "nvme_sensor_1"}, {"amdgpu_edge", "", 0, "amd_gpu"},
		{"", "", 0, ""}, {"°", "", 0, ""}, {"coretemp", "Package id 99999999999999999999", 0, "cpu_9223372036854775807"},
	} {
		if got := Part(tc.chip, tc.label, tc.n); got != tc.want {
			t.Errorf("Part(%q, %q, %d) = %q, want %q", tc.chip, tc.label, tc.n, got, tc.want)
		}
	}
}

func TestFan(t *testing.T) {
	for in, want := range map[[2]string]string{
		{"pwmfan", ""}: "", {"pwmfan", "fan1"}: "", {"pwm-fan", ""}: "", {"nct6775", "fan1"}: "nct6775", {"nct6775", "fan2"}: "nct6775_2",
		{"amdgpu", "fan1"}: "amd_gpu", {"dell_smm", "Processor Fan"}: "dell_smm_processor", {"thinkpad", "fan2"}: "thinkpad_2", {"gpio-fan", "fan1"}: "gpio",
	} {
		if got := Fan(in[0], in[1], 0); got != want {
			t.Errorf("Fan(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestDisk(t *testing.T) {
	for in, want := range map[string]string{
		"nvme0": "nvme", "nvme0n1": "nvme", "nvme1": "nvme_1", "nvme12n1": "nvme_12", "nvme0n1p2": "nvme0n1p2", "nvme0n2": "nvme0n2",
		"sda": "sda", "/dev/sdb": "sdb", "mmcblk0": "mmcblk0", "": "", "C:": "c",
	} {
		if got := Disk(in); got != want {
			t.Errorf("Disk(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestKeyPart(t *testing.T) {
	for in, want := range map[string]string{"Core 0": "core_0", "cpu-thermal": "cpu_thermal", "--": "", "in°0!": "in_0", "/mnt/Data": "mnt_data"} {
		if got := KeyPart(in); got != want {
			t.Errorf("KeyPart(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzPart checks that no name crashes, and that each result can be a part of a key.
func FuzzPart(f *testing.F) {
	f.Add("coretemp", "Package id 0", 0)
	f.Add("nvme_sensor1", "", 3)
	f.Add("nct6775", "fan2", 1)
	f.Fuzz(func(t *testing.T, chip, label string, n int) {
		for _, part := range []string{Part(chip, label, n), Fan(chip, label, n), Disk(chip)} {
			if KeyPart(part) != part {
				t.Errorf("%q of %q, %q is no part of a key", part, chip, label)
			}
		}
	})
}
