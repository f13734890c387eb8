package nearest

import (
	"strings"
	"testing"
)

func TestAMistypedWordIsRecognised(t *testing.T) {
	long := strings.Repeat("abcdefghij", 4)
	names := []string{"backfill", "dead", "device", "run", "up", "höhe", "küchengerät", "q", long, long + long}
	for text, want := range map[string]string{
		"backfil": "backfill", "bakcfill": "backfill", "Device": "device", "devcie": "device", "rn": "run",
		"dea": "dead", "weather": "",
		"": "", "x": "", "Q": "q", // one letter for another is another word
		"hoehe": "höhe", "hohe": "höhe", "HÖHE": "höhe", "küchengräet": "küchengerät", "kuchengerat": "küchengerät", "ヷヸ": "", // letters, not their bytes
		long[1:]: long, long + "x": "", long + long: "", strings.Repeat("x", 41): "", strings.Repeat("x", 160): "", strings.Repeat("ö", 39): "", // long words
	} {
		if got := Of(text, names); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
