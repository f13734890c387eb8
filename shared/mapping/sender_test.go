package mapping

import (
	"strings"
	"testing"
)

// A block for a topic on which several devices send tells them apart.
func TestAProposalTellsSendersApart(t *testing.T) {
	for _, tc := range []struct{ topic, payload, device string }{
		{"rtl_433/pi/events", `{"time":"2026-11-23 12:00:00","id":11524,"channel":"A","model":"Acurite-Tower","humidity":61}`, `"rtl_433-pi-events-{$.model}-{$.channel}-{$.id}"`},
		{"ble/gw", `{"mac":"A4:C1:38:AA:BB:01","rssi":-60,"humidity":61}`, `"ble-gw-{$.mac}"`},
		{"home/OMG/BTtoMQTT", `{"id":"A4:C1:38:AA:BB:01","name":"ATC","model_id":"LYWSD03MMC","type":"THB","humidity":61}`, `"home-omg-bttomqtt-{$.id}"`},
		{"ble/gw", `{"gateway":"attic","mac":"A4:C1:38:AA:BB:01","humidity":61}`, `"ble-gw-{$.mac}"`},
		{"nodes", `{"gateway":"attic","id":1,"humidity":61}`, `"nodes-{$.gateway}-{$.id}"`},
		{"nodes", `{"id":1,"name":"unknown","humidity":61}`, `"nodes-{$.id}"`},
		{"home/OMG/BTtoMQTT/A4C138AABB01", `{"id":"A4:C1:38:AA:BB:01","humidity":61}`, "home-omg-bttomqtt-a4c138aabb01"},
		{"shelly-1/status/switch:0", `{"id":0,"source":"init","apower":1.5}`, "shelly-1-status-switch-0"},
		{"house/state", `{"raum":"Bad","temperature":21}`, `house-state # or, if several devices send there, "house-state-{$.raum}"`},
		{"house/state", `{"temperature":21,"status":"ok"}`, "house-state"},
		{"дом/кухня", `21`, "dom-kukhnia"},
	} {
		block, err := Propose(tc.topic, []byte(tc.payload))
		_, line, _ := strings.Cut(block, "- device: ")
		if line, _, _ = strings.Cut(line, "\n"); err != nil || line != tc.device {
			t.Errorf("%s: %s, want %s (%v)", tc.topic, line, tc.device, err)
		}
		pasted(t, &Proposer{}, tc.topic, []byte(tc.payload))
	}
}

func TestRoleOf(t *testing.T) {
	for want, keys := range map[Role][]string{
		Sender: {`id 7`, `id "0e12"`, `"device_id" "x"`, `deviceId "x"`, `dev_id "n"`, `devEUI "70B3D57ED0000001"`, `DevAddr "26011F22"`, `MAC "aa:bb"`, `macAddress "aa"`, `mac-address "aa"`, `serialno "84f"`,
			`sensor_id 3`, `node 12`, `nodeId 1`, `hostname "nas"`, `Host "nas"`, `name "Kitchen"`, `TaskName "bme"`, `friendly_name "x"`, `location "Kitchen"`, `room "Bath"`, `room null`, `station_id "x"`, `idx 12`,
			`esp8266id "123"`, `entity_id "sensor.x"`, `from 2130636288`, `topic "a/b"`, `meter "lansenth"`, `IMEI "35"`, `uuid "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"`, `probe 2`, `Unit_Name "x"`},
		Receiver: {`gateway "attic"`, `gw_mac "AA"`, `gatewayId "x"`, `gateway_eui "x"`, `scanner "attic"`},
		Part:     {`model "Acurite"`, `channel 1`, `ch "A"`, `subtype 5`, `sensor "DHT22"`, `sensor_type "DHT22"`, `unit 3`, `port 2`},
		Address:  {`ip "192.0.2.7"`, `ip_address "192.0.2.7"`, `IPAddress "192.0.2.7"`},
		Doubtful: {`raum "Bad"`, `wo "Küche"`, `设备 "a"`, `number 3`, `PASSKEY "0123456789ABCDEF"`, `no 3`, `foo "192.0.2.7"`, `probe 21.5`, `comfort "DRY-ish"`},
		Nothing: {`lux 3`, `password "x"`, `api_key "x"`, `raum 3`, `status "Bad"`, `state "x"`, `firmware "abc"`, `plug "on"`, `socket true`, `outlet "OFF"`, `unit "C"`, `unit "°F"`, `units "metric"`, `msg_id "a1"`, `messageId 5`, `packet_id 5`, `seq 5`,
			`wifi_mode "n"`, `bssid "aa:bb"`, `ssid "home"`, `foo "21.5"`, `foo "21,5 °C"`, `foo "2026-11-23T12:00:00Z"`, `foo "1.2.3"`, `foo "v2.0"`, `foo "idle"`, `foo null`, `foo ""`, `foo {"a":1}`, `rssi "-60 dBm"`, `file_name "x"`, `event_name "x"`, `message_type 56`, `msg_type "x"`, `wind_dir "NNW"`, `forecast "sunny"`, `clock "12:00"`, `next "7:30"`, `foo "12:00:00"`, `season_name "Summer"`, `compiled "Nov 23 2026"`, `mic "CRC"`},
	} {
		for _, k := range keys {
			key, raw, _ := strings.Cut(k, " ")
			if got := RoleOf(strings.Trim(key, `"`), []byte(raw)); got != want {
				t.Errorf("%s: %d, want %d", k, got, want)
			}
		}
	}
}

func TestSays(t *testing.T) {
	for _, tc := range []struct {
		topic, value string
		want         bool
	}{
		{"/embedded/lab_plug1", "lab plug 1", true}, {"/embedded/lab_plug4a", "4", false}, {"home/OMG/A4C138AABB01", "a4:c1:38:aa:bb:01", true}, {"s/status/switch:0", "0", true},
		{"s/switch:0/status", "0", false}, {"дом/Кухня", "кухня", true}, {"a/b", "-", false}, {"a/b", "", false}, {"a//b", "…", false}, {"a/b", "ab", false}, {"a/bc", "b", false}, {"a", "A", true}, {"", "a", false},
	} {
		if got := Says(tc.topic, tc.value); got != tc.want {
			t.Errorf("Says(%q, %q) = %v", tc.topic, tc.value, got)
		}
	}
}
