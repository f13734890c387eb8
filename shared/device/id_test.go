package device

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestID(t *testing.T) {
	for name, want := range map[string]string{
		// Latin names, as ever
		"Living room (left)": "living-room-left", "0x00158d0001a2b3c4": "0x00158d0001a2b3c4", "Küche": "kueche", "garage_temp": "garage_temp",
		"a/b/c": "a-b-c", "--x--": "x", "az09_": "az09_", "Smørrebrød på Ålborg": "smoerrebroed-pa-alborg", "Señor Müßig": "senor-muessig",
		strings.Repeat("a", 60): strings.Repeat("a", 60),
		// Latin letters of other alphabets, composed or not
		"Łazienka": "lazienka", "Obývací pokoj": "obyvaci-pokoj", "Příliš žluťoučký kůň": "prilis-zlutoucky-kun", "IŞIK İstanbul ılık": "isik-istanbul-ilik",
		"Phòng khách": "phong-khach", "Đèn": "den", "Nappali hőmérő": "nappali-homero", "Þvottahús": "thvottahus", "Dzīvojamā": "dzivojama", "Ku\u0308che": "kueche",
		// other scripts
		"Кухня": "kukhnia", "Спальня": "spalnia", "Кімната їжа": "kimnata-yizha", "Κουζίνα": "kouzina", "温度": "wen-du", "客厅 温度 1": "ke-ting-wen-du-1",
		"リビング": "ribingu", "センサー": "sensaa", "거실": "geosil", "مطبخ": "mtbkh", "מטבח": "mtbh", "ห้องครัว": "hngkhraw", "रसोई": "rsoii", "გარაჟი": "garazhi", "Խոհանոց": "khohanots",
		"Ｋｉｔｃｈｅｎ": "kitchen", "21 °C": "21-degc", "CO₂": "co2", "Kitchen – left": "kitchen-left",
		// what has no letters
		"": "device-000000", "///": "device-9dddfb", "💡": "device-cb4d90", "🔥": "device-fc2e0f", "Lamp 💡": "lamp-e3d9f4", "Lamp 🔥": "lamp-d4ba6b",
		strings.Repeat("a", 61): strings.Repeat("a", 53) + "-1abe92",
	} {
		if got := ID(name); got != want {
			t.Errorf("ID(%q) = %q, want %q", name, got, want)
		}
	}
}

var validID = regexp.MustCompile(`^[a-z0-9_]+(-[a-z0-9_]+)*$`)

func TestAnIDIsItsOwnID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := ID(rapid.String().Draw(t, "name"))
		if !validID.MatchString(id) || len(id) > maxID || ID(id) != id {
			t.Fatalf("%q, and its id is %q", id, ID(id))
		}
	})
}

// TestWhatIsLeftOutTellsApart has names that differ only in what an id cannot have, or in
// what is beyond its length.
func TestWhatIsLeftOutTellsApart(t *testing.T) {
	long := strings.Repeat("home/", 20)
	for _, names := range [][]string{
		{"💡", "🔥", "🌡️", "👩‍🚒", "👩‍🔬", "\U000e0041", "\ue000", "→", "★"}, {"Lamp", "Lamp 💡", "Lamp 🔥", "💡 Lamp"},
		{long + "kitchen", long + "office"}, {"キ", "キー"}, {"", "/", "//", "."},
	} {
		seen := map[string]string{}
		for _, n := range names {
			if other, ok := seen[ID(n)]; ok {
				t.Errorf("%q and %q are both %s", n, other, ID(n))
			}
			seen[ID(n)] = n
		}
	}
}
