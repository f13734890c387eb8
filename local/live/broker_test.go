package live

import (
	"strings"
	"testing"
)

func TestTheDevicesOfZigbee2MQTTAreCounted(t *testing.T) {
	one := `{"ieee_address":"0x1","type":"Router","endpoints":{"1":{"bindings":[{"target":{"ieee_address":"0x0"}}]}}}`
	for payload, want := range map[string]string{
		`[{"ieee_address":"0x0","type":"Coordinator"}]`: "0 devices",
		"[" + one + "," + one + "]":                     "2 devices",
		"[" + one + "," + one[:20]:                      "more than 1 devices",
		"[]":                                            "0 devices",
		`{"devices":[]}`:                                "",
		`[1,2]`:                                         "",
		`[{"id":1}]`:                                    "",
		"online":                                        "",
	} {
		if got, ok := zigbeeDevices([]byte(payload)); got != want || ok != (want != "") {
			t.Errorf("%s: %q %t, want %q", payload, got, ok, want)
		}
	}
}

func TestUserAndPasswordMayBeInTheAddress(t *testing.T) {
	a, hidden, err := access(map[string]string{"MQTT_URL": "mqtt://home:geheim-4711@broker", "MQTT_USER": "", "MQTT_PASSWORD": ""})
	if err != nil || a.URL != "mqtt://broker:1883" || a.User != "home" || a.Password.Reveal() != "geheim-4711" || strings.Contains(hidden.Redact("geheim-4711"), "4711") {
		t.Errorf("%+v, %v", a, err)
	}
}

func FuzzZigbeeDevices(f *testing.F) {
	f.Add([]byte(`[{"ieee_address":"0x1","type":"Router"}]`))
	f.Add([]byte(`[{"ieee_address":`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if n, ok := zigbeeDevices(payload); ok != (n != "") {
			t.Errorf("%q, %t", n, ok)
		}
	})
}
