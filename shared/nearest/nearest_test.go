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

func TestATypingMistakeIsOneLetterOrTwoOfALongName(t *testing.T) {
	names := []string{"STOCKS_SYMBOLS", "MQTT_USER", "DATABASE_URL", "exec_timeout", "PORT", "DATA_DIR"}
	for text, want := range map[string]string{
		"STOCK_SYMBOLS": "STOCKS_SYMBOLS", "STOCKS_SYMBOL": "STOCKS_SYMBOLS", "STOCK_SYMBOL": "STOCKS_SYMBOLS", "stocks-symbols": "STOCKS_SYMBOLS", "STOKCS_SMYBOLS": "STOCKS_SYMBOLS",
		"MQTT_USR": "MQTT_USER", "EXEC_TIMEOUT": "exec_timeout", "DATABASE_URI": "DATABASE_URL", "Mqtt_User": "MQTT_USER", "DATA_DIRS": "DATA_DIR",
		"MQTT_HOST": "", "MQTT_USES_": "", "PROT": "", "port": "", "STOCKS_SYMBOLS": "", "XDG_DATA_DIRS": "", "SYMBOLS": "", "": "", strings.Repeat("x", 50): "",
	} {
		if got := Typo(text, names); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
