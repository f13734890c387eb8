package device

import (
	"strings"
	"testing"
)

func TestSlug(t *testing.T) {
	for name, want := range map[string]string{
		"Living room (left)": "living-room-left", "0x00158d0001a2b3c4": "0x00158d0001a2b3c4", "Küche": "kueche", "garage_temp": "garage_temp",
		"///": "", "温度": "", "a/b/c": "a-b-c", "--x--": "x", "az09_": "az09_", "`{:@[": "",
		strings.Repeat("a", 59) + "/b/c": strings.Repeat("a", 59), strings.Repeat("a", 80): strings.Repeat("a", 60),
	} {
		if got := Slug(name); got != want {
			t.Errorf("Slug(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{"Küche 1": true, "a\nb": false, "\xff": false, "\x00": false} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
