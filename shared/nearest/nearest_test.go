package nearest

import "testing"

func TestAMistypedWordIsRecognised(t *testing.T) {
	names := []string{"backfill", "dead", "device", "run", "up"}
	for text, want := range map[string]string{
		"backfil": "backfill", "bakcfill": "backfill", "Device": "device", "devcie": "device", "rn": "run",
		"dea": "dead", "x": "", "weather": "", "": "", "backfillbackfillbackfillbackfillbackfillx": "",
	} {
		if got := Of(text, names); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
