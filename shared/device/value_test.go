package device

import "testing"

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{"Küche 1": true, "a\nb": false, "\xff": false, "\x00": false} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
