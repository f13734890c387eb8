package local

import (
	"slices"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/store"
)

func TestAPickOfDevices(t *testing.T) {
	all := []store.Device{{ID: "boiler"}, {ID: "d-1", Publisher: "tele/d-1"}, {ID: "d-2", Publisher: "tele/d-2"}, {ID: "d-3", Publisher: "telegraf"}, {ID: "office-air", Publisher: "hearth/pi4"}}
	named := []string{"boiler", "d-2"}
	for _, c := range []struct {
		pick DevicePick
		ids  []string // picked
		kept []string // in hearth.yml
		err  string
	}{
		{DevicePick{ID: "d-1"}, []string{"d-1"}, nil, ""},
		{DevicePick{ID: "d-*"}, []string{"d-1", "d-3"}, []string{"d-2"}, ""},
		{DevicePick{ID: "*"}, []string{"d-1", "d-3", "office-air"}, []string{"boiler", "d-2"}, ""},
		{DevicePick{From: "tele"}, []string{"d-1"}, []string{"d-2"}, ""},
		{DevicePick{From: "tele/#"}, []string{"d-1"}, []string{"d-2"}, ""},
		{DevicePick{From: "hearth/pi4/"}, []string{"office-air"}, nil, ""},
		{DevicePick{ID: "d-[13]", From: "tele"}, []string{"d-1"}, nil, ""},
		{DevicePick{ID: "d-2"}, nil, []string{"d-2"}, "d-2 is in hearth.yml"},
		{DevicePick{ID: "?oiler"}, nil, []string{"boiler"}, "all 1 devices that this picks are in hearth.yml"},
		{DevicePick{ID: "ofice-air"}, nil, nil, `no device "ofice-air" is in the register: did you mean "office-air"?`},
		{DevicePick{ID: "washer"}, nil, nil, "the register has 5: --dry-run with '*' lists them"},
		{DevicePick{ID: "d-1", From: "hearth"}, nil, nil, `no device "d-1" from "hearth" is in the register: it is not from there`},
		{DevicePick{From: "hearth/pi5"}, nil, nil, "did you mean --from hearth/pi4?"},
		{DevicePick{From: "/"}, nil, nil, "--from / names no topic"},
		{DevicePick{From: "#"}, nil, nil, "--from # names no topic"},
		{DevicePick{ID: "d-*", From: "//#"}, nil, nil, "--from //# names no topic"},
		{DevicePick{From: "tel"}, nil, nil, `no device from "tel" is in the register: the register has 5`},
	} {
		picked, err := pick(c.pick, all, named)
		var ids []string
		for _, d := range picked.Devices {
			ids = append(ids, d.ID)
		}
		if !slices.Equal(ids, c.ids) || !slices.Equal(picked.Named, c.kept) || (err != nil) != (c.err != "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%+v: %q, kept %q, %v; want %q, %q, %s", c.pick, ids, picked.Named, err, c.ids, c.kept, c.err)
		}
	}
	if _, err := pick(DevicePick{ID: "a"}, nil, nil); err == nil || !strings.Contains(err.Error(), "the register is empty") {
		t.Error(err)
	}
}
