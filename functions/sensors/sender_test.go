package function

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/mqttbatch/batchtest"
	"github.com/hearth-home/hearth/shared/wire"
)

// TestSendersOfOneTopic has payloads as programs publish them, with other ids, of several
// devices on one topic. Each line is a device.
func TestSendersOfOneTopic(t *testing.T) {
	for name, tc := range map[string]struct {
		topic    string
		payloads []string
		want     []string // devices and their values; nil: nothing is stored
	}{
		"rtl_433": {"rtl_433/pi/events", []string{
			`{"time":"2026-11-23 12:00:00","model":"Acurite-Tower","id":11524,"channel":"A","battery_ok":1,"humidity":61,"mic":"CHECKSUM"}`,
			`{"time":"2026-11-23 12:00:00","model":"LaCrosse-TX141THBv2","id":168,"channel":1,"battery_ok":1,"humidity":88,"test":"No"}`,
			`{"time":"2026-11-23 12:00:00","model":"Oregon-THGR122N","subtype":"x1","id":91,"channel":2,"humidity":22}`,
			`{"id":91,"model":"Oregon-THGR122N","channel":3,"subtype":"x1","time":"2026-11-23 12:00:00","humidity":23}`,
		}, []string{"rtl_433-pi-events-acurite-tower-a-11524 humidity_percent=61", "rtl_433-pi-events-lacrosse-tx141thbv2-1-168 humidity_percent=88",
			"rtl_433-pi-events-oregon-thgr122n-x1-2-91 humidity_percent=22", "rtl_433-pi-events-oregon-thgr122n-x1-3-91 humidity_percent=23"}},
		"BLE gateway, a topic for each": {"home/OMG_ESP32/BTtoMQTT/A4C138AABB01", []string{`{"id":"A4:C1:38:AA:BB:01","name":"ATC_AABB01","rssi":-61,"humidity":41}`},
			[]string{"home-omg_esp32-bttomqtt-a4c138aabb01 humidity_percent=41"}},
		"BLE gateway, one topic": {"ble/gateway", []string{`{"mac":"A4:C1:38:AA:BB:01","rssi":-61,"humidity":41}`, `{"mac":"A4:C1:38:AA:BB:02","rssi":-50,"humidity":52}`},
			[]string{"ble-gateway-a4-c1-38-aa-bb-01 humidity_percent=41", "ble-gateway-a4-c1-38-aa-bb-02 humidity_percent=52"}},
		"The Things Network, flattened": {"lora/up", []string{`{"dev_id":"node-1","temperature":20}`, `{"dev_id":"node-2","temperature":10}`},
			[]string{"lora-up-node-1 temperature_celsius=20", "lora-up-node-2 temperature_celsius=10"}},
		"DevEUI":         {"lora/up", []string{`{"devEUI":"70B3D57ED0000001","co2":600}`, `{"devEUI":"70B3D57ED0000002","co2":700}`}, []string{"lora-up-70b3d57ed0000001 co2_ppm=600", "lora-up-70b3d57ed0000002 co2_ppm=700"}},
		"wmbusmeters":    {"wmbusmeters", []string{`{"media":"room sensor","meter":"lansenth","name":"Bath","id":"00010203","temperature":21}`, `{"media":"room sensor","meter":"lansenth","name":"Hall","id":"00010204","temperature":19}`}, []string{"wmbusmeters-lansenth-bath-00010203 temperature_celsius=21", "wmbusmeters-lansenth-hall-00010204 temperature_celsius=19"}},
		"rooms":          {"house/climate", []string{`{"room":"Kitchen","temp":21}`, `{"room":"Bath","temp":24}`}, []string{"house-climate-kitchen temperature_celsius=21", "house-climate-bath temperature_celsius=24"}},
		"stations":       {"weather", []string{`{"station":1,"temp":1}`, `{"station":2,"temp":2}`}, []string{"weather-1 temperature_celsius=1", "weather-2 temperature_celsius=2"}},
		"hosts":          {"monitor", []string{`{"hostname":"nas","cpu_temp":50}`, `{"hostname":"pi","cpu_temp":60}`}, []string{"monitor-nas cpu_temperature_celsius=50", "monitor-pi cpu_temperature_celsius=60"}},
		"serial numbers": {"airgradient/readings", []string{`{"serialno":"84fce602549c","wifi":-51,"pm10":3,"ledMode":"co2"}`, `{"serialno":"84fce6025400","pm10":4}`}, []string{"airgradient-readings-84fce602549c pm10_ugm3=3", "airgradient-readings-84fce6025400 pm10_ugm3=4"}},
		"addresses only": {"esp", []string{`{"ip":"192.0.2.7","temp":1}`, `{"ip":"192.0.2.8","temp":2}`}, []string{"esp-192-0-2-7 temperature_celsius=1", "esp-192-0-2-8 temperature_celsius=2"}},
		"kinds of messages": {"rtl_433/pi/events", []string{`{"model":"Acurite-5n1","message_type":56,"id":1497,"channel":"B","humidity":60}`, `{"model":"Acurite-5n1","message_type":49,"id":1497,"channel":"B","humidity":60}`, `{"model":"Acurite-5n1","msg_type":1,"id":1497,"channel":"B","humidity":60}`},
			[]string{"rtl_433-pi-events-acurite-5n1-b-1497 humidity_percent=60"}},
		"gateways that receive one device": {"ble/all", []string{`{"gateway":"attic","mac":"A4:C1:38:AA:BB:01","humidity":40}`, `{"gw_mac":"0C:8B:95:00:00:02","mac":"A4:C1:38:AA:BB:01","humidity":40}`, `{"receiver":"hall","mac":"A4:C1:38:AA:BB:01","humidity":40}`},
			[]string{"ble-all-a4-c1-38-aa-bb-01 humidity_percent=40"}},
		"a name that comes at times": {"home/OMG/BTtoMQTT", []string{`{"id":"A4:C1:38:AA:BB:01","humidity":40}`, `{"id":"A4:C1:38:AA:BB:01","name":"ATC","humidity":40}`, `{"id":"A4:C1:38:AA:BB:01","name":"ATC","model":"TH Sensor","model_id":"LYWSD03MMC","type":"THB","humidity":40}`, `{"id":"A4:C1:38:AA:BB:02","name":"ATC","humidity":50}`},
			[]string{"home-omg-bttomqtt-a4-c1-38-aa-bb-01 humidity_percent=40", "home-omg-bttomqtt-a4-c1-38-aa-bb-02 humidity_percent=50"}},
		"a name that is not known":  {"nodes", []string{`{"id":5,"name":"unknown","humidity":40}`, `{"id":5,"name":"N/A","humidity":40}`, `{"id":5,"name":null,"humidity":40}`}, []string{"nodes-5 humidity_percent=40"}},
		"a model that is not known": {"nodes/x", []string{`{"model":"","humidity":40}`, `{"type":"unknown","humidity":40}`, `{"channel":null,"humidity":40}`}, []string{"nodes-x humidity_percent=40"}},
		"LoRaWAN gateways":          {"lora/up", []string{`{"dev_eui":"70B3D57ED0000001","gateway_id":"g1","co2":600}`, `{"dev_eui":"70B3D57ED0000001","gateway_id":"g2","co2":600}`}, []string{"lora-up-70b3d57ed0000001 co2_ppm=600"}},
		"two receivers of a meter": {"wmbusmeters", []string{`{"meter":"lansenth","name":"Bath","id":"00010203","temperature":21,"device":"rtlwmbus[1]"}`, `{"meter":"lansenth","name":"Bath","id":"00010203","temperature":21,"device":"im871a[2]"}`},
			[]string{"wmbusmeters-lansenth-bath-00010203 temperature_celsius=21"}},
		"gateways that number their nodes": {"nodes", []string{`{"gateway":"attic","id":1,"humidity":40}`, `{"gateway":"cellar","id":1,"humidity":50}`, `{"gateway":"garage","humidity":60}`},
			[]string{"nodes-attic-1 humidity_percent=40", "nodes-cellar-1 humidity_percent=50", "nodes-garage humidity_percent=60"}},
		"ESPurna numbers its messages": {"espurna/data", []string{`{"temperature":"21.0","mac":"84:F3:EB:00:00:01","host":"ESPURNA-1","ip":"192.0.2.7","id":14}`, `{"temperature":"21.0","mac":"84:F3:EB:00:00:01","host":"ESPURNA-1","ip":"192.0.2.7","id":15}`},
			[]string{"espurna-data-espurna-1-84-f3-eb-00-00-01 temperature_celsius=21"}},
		"a word that the topic says":      {"home/living_room/climate", []string{`{"location":"Living Room","temperature":21}`}, []string{"home-living_room-climate temperature_celsius=21"}},
		"one switch":                      {"shellyplus1pm-1/status/switch:0", []string{`{"id":0,"source":"init","output":true,"voltage":230,"aenergy":{"total":1.5,"by_minute":[0,0,0],"minute_ts":1795435200},"temperature":{"tC":41.5,"tF":106.7}}`, `{"id":0,"source":"MQTT","output":false,"voltage":231}`}, []string{"shellyplus1pm-1-status-switch-0 voltage_volts=231"}},
		"what says nothing of the sender": {"esp/node", []string{`{"temperature":21,"status":"ok","uptime":"3d 4h","firmware":"1.2.3","wifi":{"ssid":"x","channel":6},"fan":"auto","msg_id":"a1","seq":5,"time":"2026-11-23T12:00:00Z"}`}, []string{"esp-node temperature_celsius=21"}},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				f := batchtest.Serve(t, New, batchtest.SQLite(t))
				for i, p := range tc.payloads {
					f.Post(t, message(time.Duration(i)*time.Second, tc.topic, p))
				}
				same(t, "states", latest(t, f), sorted(tc.want))
				slices.Reverse(tc.payloads) // who speaks first is of no account
				if name == "one switch" {
					return
				}
			}
		})
	}
}

// latest returns the devices with their values.
func latest(t *testing.T, f *batchtest.Served) (out []string) {
	for _, s := range f.States(t) {
		w := strings.Fields(s)
		out = append(out, w[0]+" "+w[1]+"="+w[3])
	}
	return out
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// With doubt nothing is stored, and the dead letter says what to write.
func TestADoubtfulSenderStoresNothing(t *testing.T) {
	for payload, want := range map[string]string{
		`{"raum":"Bad","temperature":21}`:                       "$.raum may tell which device sent the message. Map it with device: $.raum, or with the name of the only device there",
		`{"type":"DHT22","standort":"Keller","humidity":60}`:    "$.standort may tell",
		`{"temperature":21,"device":{"id":"a1","model":"x"}}`:   "$.device.id may tell",
		`{"temperature":21,"sensors":[{"name":"a","t":1}]}`:     "$.sensors.name may tell",
		`{"name":"unknown","temperature":21}`:                   "$.name may tell",
		`{"room":null,"temperature":21}`:                        "$.room may tell",
		`{"device_id":"","power":3}`:                            "$.device_id may tell",
		`{"number":7,"temperature":21}`:                         "$.number may tell",
		`{"probe":21.5,"humidity":40}`:                          "$.probe may tell",
		`{"qui":"a","quoi":"b","temperature":21}`:               `$.qui, $.quoi may tell which device sent the message. Map it with device: "{$.qui}-{$.quoi}"`,
		`{"name":"` + strings.Repeat("x", 150) + `","temp":21}`: "$.name may tell",
	} {
		f := batchtest.Serve(t, New, batchtest.SQLite(t))
		a := f.Post(t, message(0, "house/7/state", payload))
		if r := reasons(a); !strings.HasPrefix(r, wire.Unmapped+"topic house/+/state: "+want) {
			t.Errorf("%s: %q", payload, r)
		}
		same(t, payload, f.States(t), []string{})
	}
}

// A key that numbers messages would make each of them a device.
func TestATopicHasABoundOfSenders(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	var ms []wire.Message
	for i := range maxSenders + 2 {
		ms = append(ms, message(time.Duration(i), "a/b", fmt.Sprintf(`{"id":%d,"temperature":20}`, i)))
	}
	a := f.Post(t, ms[:maxSenders]...)
	if len(a.Rejected) > 0 {
		t.Fatal(reasons(a))
	}
	a = f.Post(t, ms[maxSenders-1:]...)
	if r := reasons(a); len(a.Rejected) != 2 || !strings.Contains(r, "no mapping for topic a/b: more than 64 devices sent there, by $.id.") {
		t.Errorf("%d: %s", len(a.Rejected), r)
	}
	f = batchtest.Serve(t, New, batchtest.SQLite(t))
	if a := f.Post(t, ms...); len(a.Rejected) != 2 {
		t.Errorf("in one batch: %d", len(a.Rejected))
	}
}

// Without a host tag (omit_hostname), and by other programs that write line protocol.
func TestTelegrafWithoutAHost(t *testing.T) {
	for name, tc := range map[string]struct {
		messages [][2]string // topic, payload
		want     []string
	}{
		"two hosts in one second": {[][2]string{{"telegraf/nas/metrics", "system load1=1 1795435200"}, {"telegraf/pi/metrics", "system load1=2 1795435200"}},
			[]string{"telegraf-nas-metrics load_1m=1", "telegraf-pi-metrics load_1m=2"}},
		"a topic for each metric": {[][2]string{{"telegraf/nas/system", "system load1=1 1795435200"}, {"telegraf/nas/cpu", "cpu,cpu=cpu-total usage_idle=90 1795435200"}, {"telegraf/pi/cpu", "cpu,cpu=cpu-total usage_idle=80 1795435200"}},
			[]string{"telegraf-nas load_1m=1", "telegraf-nas cpu_usage_percent=10", "telegraf-pi cpu_usage_percent=20"}},
		"JSON": {[][2]string{{"telegraf/nas", `{"fields":{"load1":1},"name":"system","tags":{},"timestamp":1795435200}`}, {"telegraf/pi", `{"fields":{"load1":2},"name":"system","tags":{},"timestamp":1795435200}`}},
			[]string{"telegraf-nas load_1m=1", "telegraf-pi load_1m=2"}},
		"another tag": {[][2]string{{"telegraf", "system,server=nas load1=1 1795435200\nsystem,server=pi load1=2 1795435200\ndisk,server=pi,path=/,device=sda1,fstype=ext4,mode=rw free=7 1795435200"}},
			[]string{"telegraf-nas load_1m=1", "telegraf-pi load_1m=2", "telegraf-pi root_disk_free_bytes=7"}},
		"boards": {[][2]string{{"influx", "climate,device=esp1,room=Küche temperature=21 1795435200\nclimate,device=esp2,room=Küche temperature=19 1795435200\nclimate,device=esp1,room=кухня temperature=3 1795435200\nclimate,device=esp1,room=спальня temperature=4 1795435200\nclimate,device=esp1,room=💡 temperature=5\nclimate,device=esp1,room=🔥 temperature=6"}},
			[]string{"influx climate_esp1_kueche_temperature=21", "influx climate_esp2_kueche_temperature=19", "influx climate_esp1_kukhnia_temperature=3", "influx climate_esp1_spalnia_temperature=4",
				"influx climate_esp1_device_cb4d90_temperature=5", "influx climate_esp1_device_fc2e0f_temperature=6"}},
		"paths": {[][2]string{{"telegraf/nas", "disk,host=nas,path=/ free=1 1795435200\ndisk,host=nas,path=/данные free=2 1795435200\ndisk,host=nas,path=/mnt/фото free=3 1795435200\ndisk,host=nas,path=/mnt/música free=4 1795435200"}},
			[]string{"nas root_disk_free_bytes=1", "nas dannye_disk_free_bytes=2", "nas mnt_foto_disk_free_bytes=3", "nas mnt_musica_disk_free_bytes=4"}},
		"names of hosts": {[][2]string{{"t", "system,host=Кухня load1=1 1795435200\nsystem,host=キッチン load1=2 1795435200"}}, []string{"kukhnia load_1m=1", "kitsuchin load_1m=2"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := batchtest.Serve(t, New, batchtest.SQLite(t), "TELEGRAF_ALLOW", "climate.*")
			for _, m := range tc.messages {
				if a := f.Post(t, message(0, m[0], m[1])); len(a.Rejected) > 0 {
					t.Errorf("%+v", a.Rejected)
				}
			}
			same(t, "states", latest(t, f), sorted(tc.want))
		})
	}
}

// The id of a topic's device does not depend on who speaks first, nor on the case of a
// kind of message at its end.
func TestADeviceIsNamedByItsWholeTopic(t *testing.T) {
	topics := map[string]string{
		"home/kitchen/climate": "home-kitchen-climate", "home/office/climate": "home-office-climate", "home/bath/climate": "home-bath-climate", "/climate/office_air": "climate-office_air",
		"garden/bed1/state": "garden-bed1-state", "дом/кухня/климат": "dom-kukhnia-klimat", "家/客厅/温度": "jia-ke-ting-wen-du", "home/🛁": "home-938711", "desk": "desk",
		strings.Repeat("very/long/", 12) + "kitchen": "", strings.Repeat("very/long/", 12) + "office": "",
	}
	var first []string
	for _, names := range [][]string{sorted(slices.Collect(maps.Keys(topics))), slices.Sorted(maps.Keys(topics))} {
		if first != nil {
			slices.Reverse(names)
		}
		f := batchtest.Serve(t, New, batchtest.SQLite(t))
		for i, name := range names {
			if a := f.Post(t, message(0, name, fmt.Sprintf(`{"temperature":%d}`, len(name)))); len(a.Rejected) > 0 {
				t.Errorf("%d %+v", i, a.Rejected)
			}
		}
		ids, err := f.Store.DeviceIDs(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, id := range ids {
			got = append(got, id.Physical+" "+id.Device)
			if want := topics[id.Name]; want != "" && id.Device != want {
				t.Errorf("%s: %s, want %s", id.Name, id.Device, want)
			}
		}
		if first == nil {
			first = got
		}
		same(t, "devices", got, first)
		if len(got) != len(topics) {
			t.Errorf("%d devices", len(got))
		}
	}
}

// One number for each topic needs a mapping: rooms are not mixed by the kind of the
// number.
func TestABareNumberIsOfNoDevice(t *testing.T) {
	f := batchtest.Serve(t, New, batchtest.SQLite(t))
	for _, topic := range []string{"home/kitchen/temperature", "home/kitchen/humidity", "home/office/temperature", "esp/sensor/kitchen_temperature/state", "shellies/shellyht-1/sensor/humidity"} {
		if a := f.Post(t, message(0, topic, "21.5")); !strings.HasPrefix(reasons(a), wire.Unmapped+"topic ") {
			t.Errorf("%s: %+v", topic, a)
		}
	}
	same(t, "states", f.States(t), []string{})
	for _, room := range []string{"kitchen", "office"} {
		f.Post(t, message(0, "home/"+room+"/temperature", `{"temperature":21}`), message(0, "home/"+room+"/humidity", `{"humidity":40}`))
	}
	same(t, "objects", latest(t, f), []string{"home-kitchen-humidity humidity_percent=40", "home-kitchen-temperature temperature_celsius=21",
		"home-office-humidity humidity_percent=40", "home-office-temperature temperature_celsius=21"})
}
