package driver

import "testing"

func TestAirReturnsOnlyGoodValues(t *testing.T) {
	a := NewAir()
	humidity := a.Humidity("room")
	bad := New()
	bad.Fields["humidity_percent"] = 99
	bad.Flag(Suspect, "wet")
	a.Record("room", bad)
	if _, ok := humidity(); ok {
		t.Error("a suspect value was used")
	}
	good := New()
	good.Fields["humidity_percent"] = 41
	a.Record("room", good)
	if v, ok := humidity(); !ok || v != 41 {
		t.Errorf("got %v, %v", v, ok)
	}
	if a.Humidity("") != nil || a.Climate("") != nil {
		t.Error("without a device the function is not nil, which the drivers check for")
	}
}
