package mapping

import (
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/store"
)

func TestPhysicalIDsOfADevice(t *testing.T) {
	long := strings.Repeat("x", maxPhysical)
	s, err := Parse([]byte(`devices: [{device: a, physical: [` + long + `]}, {device: b, topic: x, fields: {co2_ppm: $}}]`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{long, store.MappedID("b")} {
		if got := s.devices[i].Physical; !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q, want %q", s.devices[i].Device, got, want)
		}
	}
}

func TestADeviceMayBeNamedByTheLastLevel(t *testing.T) {
	s, err := Parse([]byte(`devices: [{topic: x/+, device: "{2}", fields: {co2_ppm: $}}]`))
	if err != nil {
		t.Fatal(err)
	}
	if found, _, err := s.Find("x/y", []byte(`7`)); err != nil || len(found) != 1 || found[0].Name != "y" {
		t.Errorf("%+v, %v", found, err)
	}
}
