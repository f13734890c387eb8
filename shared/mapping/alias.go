package mapping

import (
	"strings"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/scan"
)

// Alias is the meaning of a payload's key that no mapping explains.
type Alias struct {
	Measurement string
	Key         string
	factor      float64
	Field       *catalogue.Field
}

const (
	mega = 1e6
	gibi = 1 << 30
)

// aliases are the keys of the platform before hearth. Its devices have several keys
// for one quantity, and other units: MHz, GiB, minutes.
var aliases = func() map[string]Alias {
	m := map[string]Alias{}
	put := func(measurement, key string, factor float64, names ...string) {
		d, _ := catalogue.Get(measurement)
		f, ok := d.Field(key)
		if !ok {
			panic(key + " is not in the catalogue") // any test would fail
		}
		for _, n := range names {
			m[n] = Alias{measurement, key, factor, &f}
		}
	}
	put("air", "temperature_celsius", 1, "temp", "temperature")
	put("air", "humidity_percent", 1, "humidity")
	put("air", "pressure_hpa", 1, "barometric_pressure", "pressure")
	put("air", "pm1_ugm3", 1, "pm1")
	put("air", "pm2_5_ugm3", 1, "pm2", "pm25", "pm2_5")
	put("air", "pm10_ugm3", 1, "pm10")
	put("air", "co2_ppm", 1, "co2")
	put("air", "eco2_ppm", 1, "co2_Levels", "eco2")
	put("air", "tvoc_ppb", 1, "total_volatile_compounds", "tvoc")

	// A PC's case: interior, exhaust, intake, and how much the air is heated.
	put("air", "interior_temperature_celsius", 1, "ct", "interior_temp", "interior_temperature")
	put("air", "exhaust_temperature_celsius", 1, "et", "exhaust_temp", "exhaust_temperature")
	put("air", "intake_temperature_celsius", 1, "it", "intake_temp", "intake_temperature")
	put("air", "heating_kelvin", 1, "hf", "heating_factor")
	put("air", "interior_humidity_percent", 1, "case_humidity", "interior_humidity")
	put("air", "exhaust_humidity_percent", 1, "exhaust_humidity")
	put("air", "intake_humidity_percent", 1, "intake_humidity")
	put("air", "pico_temperature_celsius", 1, "pico_temp")

	put("soil", "moisture_percent", 1, "soil_moisture", "moisture")

	put("power", "power_watts", 1, "power_usage", "power")
	put("power", "voltage_volts", 1, "voltage")
	put("power", "current_amperes", 1, "current")
	put("power", "energy_kwh", 1, "energy")

	put("ups", "battery_percent", 1, "battery_level")
	put("ups", "runtime_seconds", 60, "battery_run_time")
	put("ups", "battery_voltage_volts", 1, "battery_voltage")
	put("ups", "input_voltage_volts", 1, "input_voltage")
	put("ups", "load_percent", 1, "load_percentage")
	put("ups", "nominal_power_watts", 1, "max_power")

	put("host", "cpu_temperature_celsius", 1, "cpuTemp", "cpu_temp")
	put("host", "cpu_frequency_hertz", mega, "cpuFreq", "cpu_freq")
	put("host", "big_core_frequency_hertz", mega, "cpuFreqBig")
	put("host", "little_core_frequency_hertz", mega, "cpuFreqLittle", "littleCoreFreq")
	put("host", "cpu_usage_percent", 1, "cpuUse", "cpu_use", "cpu_util", "cpu_utilization")
	put("host", "cpu_usage_percent", 100, "cpuLoad") // Windows reports 0 to 1
	put("host", "cpu_cores", 1, "coreCount", "core_count")
	put("host", "memory_used_bytes", gibi, "ramUse", "ram_use", "ram_util", "ram_utilization", "ramUtilization")
	put("host", "nvme_temperature_celsius", 1, "nvme_temp", "NVME")
	put("host", "gpu_temperature_celsius", 1, "gpu_temp", "gpuTemp", "GPU")
	put("host", "amd_gpu_temperature_celsius", 1, "amd_gpu_temp", "amdgpu_temp")
	put("host", "gpu_usage_percent", 100, "gpu_load", "gpuLoad")
	put("host", "gpu_memory_used_bytes", gibi, "gpu_vram", "gpuVram", "vramUtilization")
	put("host", "gpu_power_watts", 1, "gpu_power", "gpuPower")
	put("host", "gpu_frequency_hertz", mega, "gpu_clock", "gpuClock")
	put("host", "frames_per_second", 1, "fps")
	put("host", "soc_temperature_celsius", 1, "SOC")
	put("host", "big_core_0_temperature_celsius", 1, "bigCore0")
	put("host", "big_core_1_temperature_celsius", 1, "bigCore1")
	put("host", "little_core_temperature_celsius", 1, "littleCore")
	put("host", "center_temperature_celsius", 1, "Center")
	put("host", "npu_temperature_celsius", 1, "NPU")
	put("host", "big_core_0_frequency_hertz", mega, "bigCore0Freq")
	put("host", "big_core_1_frequency_hertz", mega, "bigCore1Freq")
	return m
}()

// Number reads a value in the unit of the field. ok is false for a value that says that
// there is none, and for a word of a switch if the field is no switch.
func (a *Alias) Number(raw []byte) (v float64, ok bool, err error) {
	r := valueRule{factor: 1, unit: catalogue.Unit{Factor: a.factor}, symbol: a.Field.Unit}
	if a.Field.Unit == "" && a.Field.Max == 1 {
		r.words = defaultWords
	}
	return r.read(raw)
}

// Switch reads a word of a switch, or a boolean, as 1 or 0.
func Switch(raw []byte) (v float64, ok bool) {
	if kind := scan.New(raw).Kind(); kind != scan.String && kind != scan.Bool {
		return 0, false
	}
	v, ok = defaultWords[strings.ToLower(strings.TrimSpace(text(raw)))]
	return v, ok
}

// LookupAlias returns the meaning of a key in an unmapped payload: a key of the
// platform before hearth, or one that the catalogue declares for sensors.
func LookupAlias(key string) (Alias, bool) {
	if a, ok := aliases[key]; ok {
		return a, true
	}
	if checkKey(key) != nil {
		return Alias{}, false
	}
	if name, n := catalogue.Guess([]string{key}, nil); n == 1 {
		m, _ := catalogue.Get(name)
		f, _ := m.Field(key)
		return Alias{name, key, 1, &f}, true
	}
	return Alias{}, false
}
