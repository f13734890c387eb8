package place

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestPlacesAreRead(t *testing.T) {
	var got List
	if err := got.UnmarshalText([]byte(" home:47.6062,-122.3321 ; cabin: -46.5 , 8\nSankt Pölten-Süd_2:90,-180;;")); err != nil {
		t.Fatal(err)
	}
	want := List{{"home", 47.6062, -122.3321}, {"cabin", -46.5, 8}, {"Sankt Pölten-Süd_2", 90, -180}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if err := got.UnmarshalText(nil); err != nil || got != nil {
		t.Errorf("nothing: %v, %v", got, err)
	}
}

func TestWhatIsWrongWithAPlaceIsSaid(t *testing.T) {
	for s, want := range map[string]string{
		"47.6,-122.3":                    `"47.6,-122.3" has no name: write home:47.6,-122.3 (name:latitude,longitude`,
		":47.6,-122.3":                   `has no name`,
		"home":                           `"home" has no latitude and longitude: write name:latitude,longitude`,
		"home:":                          `"home:" has no latitude and longitude`,
		"home;47.6,-122.3":               `"home" has no latitude and longitude`,
		"home 47.6,-122.3":               `"home 47.6,-122.3" has no colon after its name: write home:47.6,-122.3`,
		"home=47.6,-122.3":               `has no colon after its name`,
		"home,47.6,-122.3":               `has no colon after its name`,
		"home:47.6,-122.3,cabin:46.5,8":  `holds several places: separate them by semicolons`,
		"home:47.6,-122.3 cabin:46.5,8":  `holds several places: separate them by semicolons`,
		"home:47.6":                      `"home:47.6" is not one latitude and one longitude`,
		"home:47,6,-122,3":               `with decimal points`,
		"home:47.6,west":                 `"home": the longitude "west" is not a number of degrees`,
		"home:,":                         `the latitude "" is not a number of degrees`,
		"home:91,0":                      `"home": a latitude must be from -90 to 90 degrees`,
		"home:0,-180.1":                  `"home": a longitude must be from -180 to 180 degrees`,
		"home:NaN,0":                     `a latitude must be from -90 to 90 degrees`,
		"home:0,inf":                     `a longitude must be from -180 to 180 degrees`,
		"a,b:1,2":                        `the name "a,b" holds ','`,
		"<b>:1,2":                        `holds '<'`,
		"home:1,2;home:3,4":              `two places have the name "home"`,
		strings.Repeat("x", 61) + ":1,2": `is longer than 60 bytes`,
	} {
		l := List{{"before", 1, 2}}
		err := l.UnmarshalText([]byte(s))
		if err == nil || !strings.Contains(err.Error(), want) || len(l) != 1 {
			t.Errorf("%s: %v, %v; want %s", s, l, err, want)
		}
	}
}

// What was meant is proposed for the whole setting, where it has one meaning only.
func TestWhatWasProbablyMeantIsProposed(t *testing.T) {
	for s, want := range map[string]string{
		"home:52,52;13,41":                     "home:52.52,13.41",
		"home:52,52;13,41;cabin:46,5;8,0":      "home:52.52,13.41;cabin:46.5,8",
		"52,52;13,41":                          "home:52.52,13.41",
		"home:52,52,13,41":                     "home:52.52,13.41",
		"home:-33,9 18,4":                      "home:-33.9,18.4",
		"home:52.52 13.41":                     "home:52.52,13.41",
		"home:52.52;13.41":                     "home:52.52,13.41",
		"52.52 13.41":                          "home:52.52,13.41",
		"home:152.5,-13.4":                     "home:-13.4,152.5",
		"home:N52.52,E13.41":                   "home:52.52,13.41",
		"home:33.9S 18.4W":                     "home:-33.9,-18.4",
		"home:13.41E,52.52N":                   "home:52.52,13.41",
		"home:52.52°,13.41°":                   "home:52.52,13.41",
		"Berlin Mitte:52° 31' 12\" N, 13°24'E": "Berlin Mitte:52.52,13.4",
		"home:−33.9,18.4":                      "home:-33.9,18.4",
		"home:52.52；13.41":                     "home:52.52,13.41",
		"home：52.52,13.41":                     "home:52.52,13.41",
		"home:lat=52.52,lon=13.41":             "home:52.52,13.41",
		"home:(52.52, 13.41)":                  "home:52.52,13.41",
		"home:52.52,13.41|cabin:46.5,8.0":      "home:52.52,13.41;cabin:46.5,8",
		"home:52.52,13.41,cabin:46.5,8":        "home:52.52,13.41;cabin:46.5,8",
		"home 52.52,13.41":                     "home:52.52,13.41",
		"home:1,2;home:3,4":                    "home:1,2;home-2:3,4",
		"home:52,5 13":                         "",
		"home:52.52":                           "",
		"home:52.52,13.41O":                    "", // east in German, west in French
		"home:91,181":                          "",
		"Berlin":                               "",
	} {
		var l List
		err := l.UnmarshalText([]byte(s))
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want an error of one line", s, err)
			continue
		}
		_, meant, _ := strings.Cut(err.Error(), ": write ")
		if meant, _, _ = strings.Cut(meant, " ("); meant != want && (want != "" || meant != form[len("write "):]) {
			t.Errorf("%s: %v, want write %s", s, err, want)
		}
	}
	const whole = `"home:52,52;13,41" was read as 2 places, "home:52,52" and "13,41": "13,41" has no name: write home:52.52,13.41`
	if err := new(List).UnmarshalText([]byte("home:52,52;13,41")); !strings.HasPrefix(err.Error(), whole) {
		t.Error(err)
	}
}

func TestAProposalIsTaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([a-z ]{0,5}[:=;, ]{0,2}[NSEW]?-?[0-9]{0,3}([.,][0-9]{1,7})?[°NSEW]?[;, ][-−]?[0-9]{0,3}([.,][0-9]{1,2})?[;\n| ]?){0,3}`).Draw(t, "setting")
		if meant := guess(text); meant != "" {
			var l List
			if err := l.UnmarshalText([]byte(meant)); err != nil || len(l) == 0 {
				t.Fatalf("%q: proposed %q: %v", text, meant, err)
			}
		}
	})
}

func TestWhateverIsTakenIsOnEarth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l List
		if l.UnmarshalText([]byte(rapid.StringMatching(`([a-z:]{0,3}:?-?[0-9a-fNIx.]{0,5},-?[0-9eN.]{0,5}[;\n ]?){0,3}`).Draw(t, "setting"))) != nil {
			return
		}
		for _, p := range l {
			if p.Name == "" || !(math.Abs(p.Latitude) <= 90) || !(math.Abs(p.Longitude) <= 180) {
				t.Fatalf("%+v", p)
			}
		}
	})
}
