package status

import (
	"strings"
	"testing"
)

// TestADeviceIsForgottenOnceAPersonIsSure: before, the page says what would be deleted. A
// device of hearth.yml stays.
func TestADeviceIsForgottenOnceAPersonIsSure(t *testing.T) {
	h := newFixture(t)
	h.device("edge", "Desk", "", state("temperature_celsius", 21), state("co2_ppm", 600))
	h.device("edge", "Shelf", "Attic", state("temperature_celsius", 21))
	p := h.page()
	devices := func() (ids []string) {
		all, err := h.st.Devices(t.Context())
		h.ok(err)
		for _, d := range all {
			ids = append(ids, d.ID)
		}
		return ids
	}
	for form, want := range map[string]int{"": 400, "device=desk": 400, "device=desk&sure=": 400, "device=desk&sure=YES": 400, "sure=yes": 400, "device=&sure=yes": 404, "device=*&sure=yes": 404, "device=des&sure=yes": 404,
		"device=desk&device=shelf&sure=yes": 400, "device=desk&sure=yes&all=1": 400, "device=shelf&sure=yes": 409, "device=shelf&sure=no": 409} {
		if code, said := post(p, "/forget", form); code != want {
			t.Errorf("%q: %d %s, want %d", form, code, said, want)
		}
	}
	if code, said := post(p, "/forget", "device=desk&sure=no"); code != 200 || said != "Forget desk? 1 device, 1 address and 2 latest values would be deleted. Its readings stay, and it comes back with its next message.\n" {
		t.Errorf("%d %s", code, said)
	}
	if got := devices(); len(got) != 2 {
		t.Fatalf("refused requests deleted something: %s", got)
	}
	if code, said := post(p, "/forget", "device=desk&sure=yes"); code != 200 || !strings.HasPrefix(said, "Forgotten: 1 device, 1 address and 2 latest values.") {
		t.Errorf("%d %s", code, said)
	}
	if got := devices(); len(got) != 1 || got[0] != "shelf" {
		t.Errorf("%s are left", got)
	}
	if _, html := get(t, listen(t, p).URL+"/status"); strings.Contains(html, `id="d-desk"`) {
		t.Error("the page still shows it")
	}
}
