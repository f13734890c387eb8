package reading

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var at = time.Unix(1700000000, 5).UTC()

func TestLine(t *testing.T) {
	for name, tt := range map[string]struct {
		r    Reading
		want string
	}{
		"numbers are floats, keys sorted": {
			Reading{Name: "weather", Tags: map[string]string{"place": "home", "a": "b"}, Fields: map[string]float64{"y": 2, "x": 1.5}, Time: at},
			"weather,a=b,place=home x=1.5,y=2 1700000000000000005"},
		"odd characters": {
			Reading{Name: "a b", Tags: map[string]string{"k": "x,y=z w\\"}, Text: map[string]string{"t": `say "hi" \o/`}, Time: at},
			`a\ b,k=x\,y\=z\ w/ t="say \"hi\" \\o/" 1700000000000000005`},
		"no empty tag, no exponent": {
			Reading{Name: "m", Tags: map[string]string{"k": ""}, Fields: map[string]float64{"v": 1e21}, Time: at},
			"m v=1000000000000000000000 1700000000000000005"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.r.Line(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestLineIsOneLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := Reading{
			Name:   rapid.StringN(1, 8, -1).Draw(t, "name"),
			Tags:   rapid.MapOf(rapid.StringN(1, 5, -1), rapid.String()).Draw(t, "tags"),
			Fields: rapid.MapOfN(rapid.StringN(1, 5, -1), rapid.Float64(), 1, 3).Draw(t, "fields"),
			Time:   at,
		}
		line := r.Line()
		if strings.ContainsAny(line, "\n\r") {
			t.Errorf("%q has a line break", line)
		}
		if again := r.Line(); again != line {
			t.Error("equal readings gave different lines")
		}
	})
}

func TestCheckRefuses(t *testing.T) {
	ok := map[string]float64{"v": 1}
	for name, r := range map[string]Reading{
		"no name":  {Fields: ok, Time: at},
		"no time":  {Name: "m", Fields: ok},
		"no value": {Name: "m", Time: at},
		"NaN":      {Name: "m", Fields: map[string]float64{"v": math.NaN()}, Time: at},
		"infinity": {Name: "m", Fields: map[string]float64{"v": math.Inf(-1)}, Time: at},
	} {
		t.Run(name, func(t *testing.T) {
			if r.Check() == nil {
				t.Error("no error")
			}
		})
	}
	if err := (Reading{Name: "m", Fields: ok, Time: at}).Check(); err != nil {
		t.Error(err)
	}
}
