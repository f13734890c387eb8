package function

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

const at = " 1795435200000000000" // noon

var measurements = []string{"air", "soil", "power", "ups", "host", "custom", "telegraf", "kiln"}

// TestPayloadsOfThePlatformBefore are recorded payloads of the platform before hearth:
// no time, often no name, four styles of key.
func TestPayloadsOfThePlatformBefore(t *testing.T) {
	for name, tc := range map[string]struct {
		topic, payload string
		want           []string
	}{
		"SDS011":              {"/climate/office_air", `{"pm2":6.4,"pm10":6.9}`, []string{"air,device=climate-office_air pm10_ugm3=6.9,pm2_5_ugm3=6.4" + at}},
		"SDS011_just_awake":   {"/climate/office_air", `{"pm2":0,"pm10":0}`, []string{"air,device=climate-office_air pm10_ugm3=0,pm2_5_ugm3=0,quality_code=1" + at}},
		"PMS5003":             {"/climate/living_room_air", `{"pm1":5,"pm25":8,"pm10":9}`, []string{"air,device=climate-living_room_air pm10_ugm3=9,pm1_ugm3=5,pm2_5_ugm3=8" + at}},
		"BME280":              {"/climate/office_bme280", `{"temperature":21.37,"barometric_pressure":1009.1,"humidity":41.2}`, []string{"air,device=climate-office_bme280 humidity_percent=41.2,pressure_hpa=1009.1,temperature_celsius=21.37" + at}},
		"DHT22_on_a_Pi":       {"/test/dht22", `{"temp":22.1,"humidity":40}`, []string{"air,device=test-dht22 humidity_percent=40,temperature_celsius=22.1" + at}},
		"DHT22_on_an_ESP32":   {"/embedded/esp32_dht22_node1", `{"temperature":22.1,"humidity":40}`, []string{"air,device=embedded-esp32_dht22_node1 humidity_percent=40,temperature_celsius=22.1" + at}},
		"SGP30":               {"/test/sgp30", `{"co2_Levels":612,"total_volatile_compounds":33}`, []string{"air,device=test-sgp30 eco2_ppm=612,tvoc_ppb=33" + at}},
		"SGP30_just_begun":    {"/test/sgp30", `{"co2_Levels":400,"total_volatile_compounds":0}`, []string{"air,device=test-sgp30 eco2_ppm=400,quality_code=1,tvoc_ppb=0" + at}},
		"Kasa":                {"/embedded/lab_plug1", `{"power_usage":61.75,"voltage":118.9,"current":0.53,"device_id":"lab plug 1"}`, []string{"power,device=embedded-lab_plug1 current_amperes=0.53,power_watts=61.75,voltage_volts=118.9" + at}},
		"UPS":                 {"/ups/one", `{"battery_level":100,"battery_run_time":31.5,"battery_voltage":24.0,"input_voltage":121.0,"load_percentage":18,"max_power":1000,"ups_status":" OL","device_model":"CP1500PFCLCDa"}`, ups(`input_voltage_volts=121,link_lost=0,load_percent=18,low_battery=0,nominal_power_watts=1000,on_battery=0,on_mains=1,`, `0`, ` OL`)},
		"UPS_of_texts":        {"/ups/one", `{"battery_level":" 100","battery_run_time":31.5,"battery_voltage":24.0,"input_voltage":" 121.0","load_percentage":18,"max_power":1000,"ups_status":" OB DISCHRG LB","device_model":"CP1500PFCLCDa"}`, ups(`input_voltage_volts=121,link_lost=0,load_percent=18,low_battery=1,nominal_power_watts=1000,on_battery=1,on_mains=0,`, `1`, ` OB DISCHRG LB`)},
		"case_by_a_Pi":        {"/hardware/gaming_pc_case_temps", `{"ct":31.1,"et":36.2,"it":24.5,"hf":11.7}`, []string{"air,device=hardware-gaming_pc_case_temps exhaust_temperature_celsius=36.2,heating_kelvin=11.7,intake_temperature_celsius=24.5,interior_temperature_celsius=31.1" + at}},
		"case_by_a_Pico":      {"/hardware/ml_workstation_case_temps", `{"ct":31.1,"et":36.2,"it":24.5,"hf":11.7,"case_humidity":30,"exhaust_humidity":25,"intake_humidity":38,"pico_temp":29.4}`, []string{"air,device=hardware-ml_workstation_case_temps exhaust_humidity_percent=25,exhaust_temperature_celsius=36.2,heating_kelvin=11.7,intake_humidity_percent=38,intake_temperature_celsius=24.5,interior_humidity_percent=30,interior_temperature_celsius=31.1,pico_temperature_celsius=29.4" + at}},
		"case_by_an_ESP32":    {"/hardware/case", `{"interior_temperature":31.1,"exhaust_temperature":36.2,"intake_temperature":24.5,"interior_humidity":30,"exhaust_humidity":25,"intake_humidity":38,"heating_factor":11.7}`, []string{"air,device=hardware-case exhaust_humidity_percent=25,exhaust_temperature_celsius=36.2,heating_kelvin=11.7,intake_humidity_percent=38,intake_temperature_celsius=24.5,interior_humidity_percent=30,interior_temperature_celsius=31.1" + at}},
		"Le_Potato":           {"/nodes/potato", `{"cpuTemp":51,"cpuFreq":1512,"cpuUse":7.5,"ramUse":0.5,"coreCount":4}`, []string{"host,device=nodes-potato cpu_cores=4,cpu_frequency_hertz=1512000000,cpu_temperature_celsius=51,cpu_usage_percent=7.5,memory_used_bytes=536870912" + at}},
		"Orange_Pi_3B":        {"/nodes/opi3", `{"cpu_utilization":7.5,"ram_utilization":1,"cpu_freq":1800}`, []string{"host,device=nodes-opi3 cpu_frequency_hertz=1800000000,cpu_usage_percent=7.5,memory_used_bytes=1073741824" + at}},
		"Raspberry_Pi":        {"/nodes/rpi4", `{"cpuTemp":51,"cpuFreq":1500,"cpuUse":7.5,"ramUse":1}`, []string{"host,device=nodes-rpi4 cpu_frequency_hertz=1500000000,cpu_temperature_celsius=51,cpu_usage_percent=7.5,memory_used_bytes=1073741824" + at}},
		"Rockchip":            {"/nodes/opi5", `{"SOC":40,"bigCore0":41,"bigCore1":42,"littleCore":43,"Center":44,"GPU":45,"NPU":46,"NVME":47,"littleCoreFreq":1800,"bigCore0Freq":2400,"bigCore1Freq":2300,"cpuUse":5,"ramUse":2}`, []string{"host,device=nodes-opi5 big_core_0_frequency_hertz=2400000000,big_core_0_temperature_celsius=41,big_core_1_frequency_hertz=2300000000,big_core_1_temperature_celsius=42,center_temperature_celsius=44,cpu_usage_percent=5,gpu_temperature_celsius=45,little_core_frequency_hertz=1800000000,little_core_temperature_celsius=43,memory_used_bytes=2147483648,npu_temperature_celsius=46,nvme_temperature_celsius=47,soc_temperature_celsius=40" + at}},
		"AMD":                 {"/nodes/beelink", `{"nvme_temp":40,"cpu_temp":50,"amd_gpu_temp":45,"cpu_util":5,"cpu_freq":2300,"ram_util":8,"core_count":12}`, []string{"host,device=nodes-beelink amd_gpu_temperature_celsius=45,cpu_cores=12,cpu_frequency_hertz=2300000000,cpu_temperature_celsius=50,cpu_usage_percent=5,memory_used_bytes=8589934592,nvme_temperature_celsius=40" + at}},
		"Intel_and_NVIDIA":    {"/nodes/nuc", `{"cpu_utilization":5,"ram_utilization":8,"cpu_freq":2300,"cpu_temp":50,"nvme_temp":40,"core_count":12,"gpu_temp":60,"gpu_load":0.42,"gpu_vram":2,"gpu_power":361.2,"gpu_clock":1905}`, []string{"host,device=nodes-nuc cpu_cores=12,cpu_frequency_hertz=2300000000,cpu_temperature_celsius=50,cpu_usage_percent=5,gpu_frequency_hertz=1905000000,gpu_memory_used_bytes=2147483648,gpu_power_watts=361.2,gpu_temperature_celsius=60,gpu_usage_percent=42,memory_used_bytes=8589934592,nvme_temperature_celsius=40" + at}},
		"AMD_and_NVIDIA":      {"/nodes/ml", `{"cpu_temp":50,"amdgpu_temp":45,"nvme_temp":40,"cpu_freq":2300,"cpu_use":5,"ram_use":8,"gpu_temp":60,"gpu_load":0.42,"gpu_vram":2,"gpu_power":361.2,"gpu_clock":1905}`, []string{"host,device=nodes-ml amd_gpu_temperature_celsius=45,cpu_frequency_hertz=2300000000,cpu_temperature_celsius=50,cpu_usage_percent=5,gpu_frequency_hertz=1905000000,gpu_memory_used_bytes=2147483648,gpu_power_watts=361.2,gpu_temperature_celsius=60,gpu_usage_percent=42,memory_used_bytes=8589934592,nvme_temperature_celsius=40" + at}},
		"Intel":               {"/nodes/x86", `{"cpu_utilization":5,"ram_utilization":8,"cpu_freq":2300,"cpu_temp":50,"nvme_temp":40,"core_count":12}`, []string{"host,device=nodes-x86 cpu_cores=12,cpu_frequency_hertz=2300000000,cpu_temperature_celsius=50,cpu_usage_percent=5,memory_used_bytes=8589934592,nvme_temperature_celsius=40" + at}},
		"Linux":               {"/nodes/linux", `{"cpuTemp":50,"cpuFreq":2300,"cpuUse":5,"ramUse":8}`, []string{"host,device=nodes-linux cpu_frequency_hertz=2300000000,cpu_temperature_celsius=50,cpu_usage_percent=5,memory_used_bytes=8589934592" + at}},
		"DHT22_with_SDS011":   {"/climate/both", `{"temp":22.1,"humidity":40,"pm2":6.4,"pm10":6.9}`, []string{"air,device=climate-both humidity_percent=40,pm10_ugm3=6.9,pm2_5_ugm3=6.4,temperature_celsius=22.1" + at}},
		"Kasa_of_texts":       {"/embedded/lab_plug4a", `{"power_usage":"61.75","voltage":"118.9","current":"0.53","device_id":4}`, []string{"power,device=embedded-lab_plug4a-4 current_amperes=0.53,power_watts=61.75,voltage_volts=118.9" + at}},
		"UPS_charging":        {"/ups/one", `{"battery_level":" 100","battery_run_time":31.5,"battery_voltage":" 24.0","input_voltage":" 121.0","load_percentage":" 18","max_power":" 1000","ups_status":" OL CHRG","device_model":" CP1500PFCLCDa"}`, []string{strings.Replace(ups(`input_voltage_volts=121,link_lost=0,load_percent=18,low_battery=0,nominal_power_watts=1000,on_battery=0,on_mains=1,`, `0`, ` OL CHRG`)[0], "charging=0", "charging=1", 1)}},
		"SDS011_saturated":    {"/climate/office_air", `{"pm2":999.9,"pm10":1999.9}`, []string{`air,device=climate-office_air pm10_ugm3=1999.9,pm2_5_ugm3=999.9,quality_code=2,suspect="pm2_5_ugm3,pm10_ugm3"` + at}},
		"Linux_with_a_GPU":    {"/nodes/linux", `{"cpuTemp":50,"cpuFreq":2300,"cpuUse":5,"ramUse":8,"gpuTemp":60,"gpuLoad":0.5,"gpuVram":1,"gpuPower":200,"gpuClock":1900}`, []string{"host,device=nodes-linux cpu_frequency_hertz=2300000000,cpu_temperature_celsius=50,cpu_usage_percent=5,gpu_frequency_hertz=1900000000,gpu_memory_used_bytes=1073741824,gpu_power_watts=200,gpu_temperature_celsius=60,gpu_usage_percent=50,memory_used_bytes=8589934592" + at}},
		"Windows":             {"/hardware/gaming_pc", `{"gpuTemp":60,"cpuTemp":55,"cpuFreqBig":4900,"cpuFreqLittle":3900,"gpuLoad":0.5,"cpuLoad":0.25,"ramUtilization":8,"vramUtilization":2,"gpuClock":1900,"gpuPower":200,"fps":60}`, []string{"host,device=hardware-gaming_pc big_core_frequency_hertz=4900000000,cpu_temperature_celsius=55,cpu_usage_percent=25,frames_per_second=60,gpu_frequency_hertz=1900000000,gpu_memory_used_bytes=2147483648,gpu_power_watts=200,gpu_temperature_celsius=60,gpu_usage_percent=50,little_core_frequency_hertz=3900000000,memory_used_bytes=8589934592" + at}},
		"as_hearth_writes_it": {"/x/y", `{"co2_ppm":600,"time":"2026-11-23T11:59:00Z"}`, []string{"air,device=x-y co2_ppm=600 1795435140000000000"}},
		"planned_soil":        {"/plants/ficus", `{"soil_moisture":33}`, []string{"soil,device=plants-ficus moisture_percent=33" + at}},
	} {
		t.Run(name, func(t *testing.T) {
			f := batchtest.Serve(t, New, batchtest.SQLite(t))
			if a := f.Post(t, message(0, tc.topic, tc.payload)); len(a.Rejected) > 0 {
				t.Errorf("rejected %+v", a.Rejected)
			}
			same(t, "readings", f.Lines(t, measurements...), tc.want)
		})
	}
}

func ups(middle, discharging, status string) []string {
	return []string{"ups,device=ups-one alarm=0,battery_percent=100,battery_voltage_volts=24,boosting=0,bypass=0,calibrating=0,charging=0,discharging=" + discharging + "," + middle +
		`output_off=0,overload=0,power_watts=180,replace_battery=0,runtime_seconds=1890,shutdown=0,trimming=0,model="CP1500PFCLCDa",status="` + strings.TrimSpace(status) + `"` + at}
}

func TestUnmappedMessagesAreRejectedUnderOneCause(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	for payload, want := range map[string]string{
		`{"colour":3}`:               "no mapping for topic /garden/+/state",
		`hello`:                      "no mapping for topic /garden/+/state",
		`21.5`:                       "no mapping for topic /garden/+/state",
		`{"temperature":20,"lux":3}`: "no mapping for lux of topic /garden/+/state",
		`{"temperature":{"c":20}}`:   "no mapping for topic /garden/+/state",
		`{"temperature":20`:          "broken JSON on topic /garden/+/state",
		`{"temperature":"warm"}`:     `temperature: "warm" is not a number`,
		`{"humidity":"21 °C"}`:       `humidity: "21 °C" is in °C, not in %`,
		`{"temperature":null,"x":1}`: "no mapping for x of topic /garden/+/state",
	} {
		reasons := map[string]bool{}
		for _, n := range []string{"bed1", "bed2"} {
			a := f.Post(t, message(0, "/garden/"+n+"/state", payload))
			for _, r := range a.Rejected {
				reasons[r.Reason] = true
			}
		}
		if len(reasons) != 1 || !reasons[want] {
			t.Errorf("%s: %v, want %q", payload, reasons, want)
		}
	}
	same(t, "the known keys are stored", f.Lines(t, "air"), []string{"air,device=garden-bed1-state temperature_celsius=20" + at, "air,device=garden-bed2-state temperature_celsius=20" + at})
}

func TestAnInvalidValueLeavesTheOthers(t *testing.T) {
	for payload, want := range map[string]string{
		`{"temp":"broken","humidity":40}`:                   `temp: "broken" is not a number`,
		`{"temp":1e999,"humidity":40}`:                      "temp: JSON: the number 1e999 is too large",
		`{"temp":[1],"humidity":40}`:                        "no mapping for temp of topic /x/dht",
		`{"temp":NaN,"humidity":40}`:                        "",
		`{"temp":-inf,"humidity":40,"co2":nan}`:             "",
		`{"temp":null,"humidity":"40,0","note":null}`:       "",
		`{"humidity":40,"humidity":40,"time":"1795435200"}`: "",
	} {
		f := batchtest.Serve(t, New, batchtest.SQLite(t))
		if a := f.Post(t, message(0, "/x/dht", payload)); reasons(a) != want {
			t.Errorf("%s: %+v, want %q", payload, a.Rejected, want)
		}
		same(t, payload, f.Lines(t, measurements...), []string{"air,device=x-dht humidity_percent=40" + at})
	}
}

func TestAWordForNoValueIsNone(t *testing.T) {
	for _, v := range []string{`null`, `""`, `" "`, `[]`, `{}`, `nan`, `-Infinity`, `"nan"`, `"NaN"`, `"-inf"`, `"unavailable"`, `"unknown"`, `"None"`, `"null"`, `"NULL"`, `"UNDEF"`, `"undefined"`, `"???"`, `"--"`,
		`"-"`, `"—"`, `"n/a"`, `"N/A"`, `"#N/A"`, `"[N/A]"`, `"(null)"`, `"<nil>"`, `"off-line"`, `"Offline"`, `"--.-"`, `"-- °C"`, `"--.-°C"`, `"unavailable °C"`, `"nan°C"`, `" °C"`} {
		f := batchtest.Serve(t, New, batchtest.SQLite(t))
		if a := f.Post(t, message(0, "/x/dht", `{"temperature":`+v+`}`), message(0, "/x/both", `{"temperature":`+v+`,"humidity":40}`)); len(a.Rejected) > 0 {
			t.Errorf("%s: %+v", v, a.Rejected)
		}
		same(t, v, f.Lines(t, measurements...), []string{"air,device=x-both humidity_percent=40" + at})
	}
}

func TestAWordOfASwitchIsNoQuantity(t *testing.T) {
	for payload, want := range map[string][]string{
		`{"power":"ON"}`:                     {"power,device=x-y on=1" + at},
		`{"power":false,"voltage":230}`:      {"power,device=x-y on=0,voltage_volts=230" + at},
		`{"humidity":"on"}`:                  {},
		`{"temp":true,"co2":"OFF"}`:          {},
		`{"cpuTemp":"off","coreCount":true}`: {},
		`{"on_mains":true,"charging":"off"}`: {"ups,device=x-y charging=0,on_mains=1" + at},
	} {
		f := batchtest.Serve(t, New, batchtest.SQLite(t))
		if a := f.Post(t, message(0, "/x/y", payload)); len(a.Rejected) > 0 {
			t.Errorf("%s: %+v", payload, a.Rejected)
		}
		same(t, payload, f.Lines(t, measurements...), want)
	}
}

func TestAValueMayBringItsUnit(t *testing.T) {
	for payload, want := range map[string]string{
		`{"temp":"14 °F","humidity":"41 %"}`:                     "air,device=x-y humidity_percent=41,temperature_celsius=-10",
		`{"power":"1.2 kW","voltage":"230V","current":"520 mA"}`: "power,device=x-y current_amperes=0.52,power_watts=1200,voltage_volts=230",
		`{"battery_run_time":"2 h","battery_level":"97%"}`:       "ups,device=x-y battery_percent=97,runtime_seconds=7200",
		`{"cpuFreq":"1512 MHz","ramUse":"512 MiB"}`:              "host,device=x-y cpu_frequency_hertz=1512000000,memory_used_bytes=536870912",
	} {
		f := batchtest.Serve(t, New, batchtest.SQLite(t))
		if a := f.Post(t, message(0, "/x/y", payload)); len(a.Rejected) > 0 {
			t.Errorf("%s: %+v", payload, a.Rejected)
		}
		same(t, payload, f.Lines(t, measurements...), []string{want + at})
	}
}

// A mapping that never found anything may have a mistake in its paths. Once it found
// something, what was refused before is replayed, and is taken.
func TestAMessageWithNothingToMapIsRefusedUntilTheMappingFoundSomething(t *testing.T) {
	const yml = `devices: [{topic: "+/events/rpc", device: "{1}", fields: {power_watts: "$.params['switch:0'].apower"}}]`
	partial := func(after time.Duration) wire.Message {
		return message(after, "plug/events/rpc", `{"wifi":{"rssi":-60}}`)
	}
	st := batchtest.SQLite(t)
	f := batchtest.Serve(t, New, st)
	writeSettings(t, f, yml)
	if a := f.Post(t, partial(0)); !strings.HasPrefix(reasons(a), mapping.NothingFound) {
		t.Errorf("at first: %+v", a)
	}
	a := f.Post(t, message(2*time.Minute, "plug/events/rpc", `{"params":{"switch:0":{"apower":5}}}`))
	if len(a.Rejected) > 0 || !slices.Contains(a.Replay, wire.Pick{Topic: "+/events/rpc", Reason: mapping.NothingFound}) {
		t.Errorf("when it finds something: %+v", a)
	}
	if a := f.Post(t, partial(0), partial(3*time.Minute)); len(a.Rejected) > 0 {
		t.Errorf("the replayed one, and another: %+v", a)
	}
	f = batchtest.Serve(t, New, st)
	writeSettings(t, f, yml)
	if a := f.Post(t, partial(4*time.Minute)); len(a.Rejected) > 0 {
		t.Errorf("after a restart: %+v", a)
	}
	writeSettings(t, f, strings.Replace(yml, "apower", "power", 1))
	if a := f.Post(t, message(6*time.Minute, "plug/events/rpc", `{"params":{"switch:0":{"apower":5}}}`)); !strings.HasPrefix(reasons(a), mapping.NothingFound) {
		t.Errorf("after its path was changed: %+v", a)
	}
}

func writeSettings(t *testing.T, f *batchtest.Served, yml string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(f.Secrets, "hearth-settings"), []byte(yml), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestHearthYMLMapsAnyJSONOnAnyTopic(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	m := message(0, "tele/oven-1/SENSOR", `{"Time":"2026-11-23T12:00:00","KILN":{"T":[1204,"83"],"Door":"OPEN"}}`)
	m.ID = "m"
	if a := f.Post(t, m); len(a.Rejected) != 1 {
		t.Fatalf("%+v", a)
	}
	writeSettings(t, f, `
devices:
  - topic: tele/+/SENSOR
    device: "{2}"
    measurement: kiln
    time: {path: $.Time, zone: UTC}
    fields:
      glaze_temperature: {path: "$.KILN.T[0]", unit: °F, min: 0, max: 1400}
      shelf_celsius: $.KILN.T[1]
      door: {path: $.KILN.Door, words: {open: 1, closed: 0}}
  - device: oven-1
    name: The kiln
    room: Cellar
    physical: [mapped/oven-1]
garden: {a: section of a later version}
`)
	m.Time, m.Replay = noon.Add(time.Minute), true
	if a := f.Post(t, m); len(a.Rejected) > 0 || replayed(a) != "tele/+/SENSOR" {
		t.Fatalf("no replay of the new mapping is requested: %+v", a)
	}
	same(t, "readings", f.Lines(t, "kiln"), []string{"kiln,device=oven-1 door=1,glaze_temperature_celsius=651.1111111111111,shelf_celsius=83" + at})
	ds, err := f.Store.Devices(t.Context())
	if err != nil || len(ds) != 1 || ds[0].Name != "The kiln" || ds[0].Room != "Cellar" {
		t.Errorf("%+v, %v", ds, err)
	}
	writeSettings(t, f, "devices: [{topic: x, nonsense: 1}]")
	m = message(2*time.Minute, "tele/oven-1/SENSOR", `{"Time":"2026-11-23T12:02:00","KILN":{"T":[1204,"84"]}}`)
	if a := f.Post(t, m); len(a.Rejected) > 0 {
		t.Errorf("with a bad file the last good one must stay in use: %+v", a)
	}
}

func TestAMappingMayAddToADeviceOfAnotherSource(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	f.Post(t, edgeReading(1, 0, `"co2_ppm":612`))
	writeSettings(t, f, `devices: [{device: office-air, topic: home/office, measurement: air, fields: {pm10_ugm3: $}}]`)
	f.Post(t, message(time.Minute, "home/office", `7`))
	same(t, "readings", f.Lines(t, "air"), []string{"air,device=office-air co2_ppm=612" + at, "air,device=office-air pm10_ugm3=7 1795435260000000000"})
}

func reasons(a wire.Answer) string {
	var out []string
	for _, r := range a.Rejected {
		out = append(out, r.Reason)
	}
	return strings.Join(out, "; ")
}

const office = `
devices:
  - topic: office/climate
    device: office
    fields: {temperature: {path: $.temperature, unit: °F}}
`

func TestATimeWithoutAZoneIsInThatOfTheMappingElseOfTheHouse(t *testing.T) {
	const mapped, own = "devices: [{topic: a/b, device: kiln, time: $.t, fields: {power_watts: $.w}}]\n",
		"devices: [{topic: a/b, device: kiln, time: {path: $.t, zone: America/New_York}, fields: {power_watts: $.w}}]\n"
	for name, tc := range map[string]struct{ yml, topic, payload, device string }{
		"the_houses":      {mapped + "house: {zone: Europe/Berlin}\n", "a/b", `{"t":"2026-11-23 13:00","w":3}`, "kiln"},
		"its_own":         {own + "house: {zone: Europe/Berlin}\n", "a/b", `{"t":"2026-11-23 07:00","w":3}`, "kiln"},
		"neither":         {mapped, "a/b", `{"t":"2026-11-23 12:00","w":3}`, "kiln"},
		"it_says_one":     {mapped + "house: {zone: Europe/Berlin}\n", "a/b", `{"t":"2026-11-23T12:00Z","w":3}`, "kiln"},
		"unmapped":        {"house: {zone: Europe/Berlin}\n", "a/plug", `{"time":"2026-11-23 13:00","power":3}`, "a-plug"},
		"unmapped_in_UTC": {"devices:\n", "a/plug", `{"time":"2026-11-23 12:00","power":3}`, "a-plug"},
	} {
		t.Run(name, func(t *testing.T) {
			f := batchtest.Serve(t, New, batchtest.SQLite(t))
			writeSettings(t, f, tc.yml)
			f.Post(t, message(time.Minute, tc.topic, tc.payload))
			same(t, "readings", f.Lines(t, "power"), []string{"power,device=" + tc.device + " power_watts=3" + at})
		})
	}
}

func TestAMappingThatWasSavedOnThePageReadsMessagesAndReplaysThoseThatWait(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	if a := f.Post(t, message(0, "garden/barrel", `{"LVL":42}`)); len(a.Rejected) != 1 {
		t.Fatalf("%+v", a)
	}
	if err := f.Store.SavePageDevice(t.Context(), store.PageDevice{Topic: "garden/barrel", Mapping: "- {device: barrel, topic: garden/barrel, measurement: barrel, fields: {level_percent: $.LVL}}\n", Since: noon}, false); err != nil {
		t.Fatal(err)
	}
	m := message(time.Minute, "garden/barrel", `{"LVL":43}`)
	f.Clock(noon.Add(time.Minute))
	if a := f.Post(t, m); len(a.Rejected) > 0 || replayed(a) != "garden/barrel" {
		t.Fatalf("%+v", a)
	}
	same(t, "readings", f.Lines(t, "barrel"), []string{"barrel,device=barrel level_percent=43 1795435260000000000"})
}
