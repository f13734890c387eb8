package device

import (
	"strings"
	"testing"
	"time"
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

func TestCheckTime(t *testing.T) {
	for _, tc := range []struct {
		at time.Time
		ok bool
	}{
		{noon, true}, {noon.Add(5 * time.Minute), true}, {noon.Add(5*time.Minute + 1), false},
		{time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), true}, {time.Date(1999, 12, 31, 23, 59, 59, 999_999_999, time.UTC), false},
	} {
		if err := CheckTime(tc.at, noon); (err == nil) != tc.ok {
			t.Errorf("%s: %v", tc.at, err)
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
