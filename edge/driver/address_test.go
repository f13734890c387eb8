package driver

import "testing"

func TestAddress(t *testing.T) {
	for in, want := range map[string]Address{"0x76": 0x76, "118": 0x76, "0x48": 0x48} {
		var a Address
		if err := a.UnmarshalText([]byte(in)); err != nil || a != want {
			t.Errorf("%s: %v, %v; want %v", in, a, err, want)
		}
	}
	for _, in := range []string{"", "0x78", "0x02", "bme", "-1"} {
		var a Address
		if err := a.UnmarshalText([]byte(in)); err == nil {
			t.Errorf("%q was accepted as %v", in, a)
		}
	}
}
