package status

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/reading"
	"github.com/hearth-home/hearth/shared/store"
)

// doubted is a suspect state, after a good value 20 minutes ago if there was one.
func doubted(h fixture, metric string, v float64, reason string, good ...float64) store.DeviceState {
	s := store.DeviceState{Metric: metric, Value: v, Quality: "suspect", Reason: reason}
	if len(good) > 0 {
		s.Good, s.GoodTime = &good[0], h.now.Add(-20*time.Minute)
	}
	return s
}

// TestASuspectValueStandsSmallBesideTheLastGoodOne: wherever a value is shown.
func TestASuspectValueStandsSmallBesideTheLastGoodOne(t *testing.T) {
	h := newFixture(t)
	out := "temperature_celsius is 215, outside of -60 to 85"
	h.device("edge", "Desk", "", doubted(h, "temperature_celsius", 215, out, 21.5), doubted(h, "humidity_percent", 655.35, "humidity_percent is 655.35, outside of 0 to 100", 44), state("pressure_hpa", 1013.2))
	h.device("edge", "Shelf", "", doubted(h, "temperature_celsius", 215, out))
	h.device("zigbee", "Door", "", doubted(h, "contact", 0, "stuck", 1), doubted(h, "battery_percent", 255, "battery_percent is 255, outside of 0 to 100", 9))
	word := doubted(h, "colour", 0, "stuck")
	word.Text = "blue"
	h.device("mapped", "Lamp", "", word)
	h.device("edge", "Hot", "", doubted(h, "co2_ppm", 3999, "co2_ppm went from 600 to 3999", 600))
	srv := listen(t, h.page())
	_, body := get(t, srv.URL+"/status")
	for device, want := range map[string][]string{
		"desk":  {`<p class="main" title="Temperature"><span class="value"><b>21.5</b>`, `<p class="doubts"><span class="doubted" title="` + out + `">suspect 215.0 °C</span>: ` + out + `</p>`, `<dt>Humidity</dt><dd><span class="value"><b>44</b> <span class="unit">%</span></span> <span class="doubted" title="humidity_percent is 655.35, outside of 0 to 100">suspect 655 %</span></dd>`, `<b>1013</b>`},
		"shelf": {`<b class="none">–</b>`, `suspect 215.0 °C`},
		"door":  {`<b>closed</b>`, `suspect open</span>: stuck`, `<span class="side warn">Battery <span class="value warn"><b>9</b>`, `suspect 255 %`},
		"lamp":  {`<b class="none">–</b>`, `suspect blue`},
		"hot":   {`<span class="value"><b>600</b>`, `suspect 3999 ppm`},
	} {
		tile := regexp.MustCompile(`(?s)id="d-` + device + `">.*?</article>`).FindString(body)
		for _, part := range want {
			if !strings.Contains(tile, part) {
				t.Errorf("%s has no %s:\n%s", device, part, tile)
			}
		}
		main := regexp.MustCompile(`(?s)<p class="main".*?</p>`).FindString(tile)
		for _, no := range []string{"215", "655", "255", "3999", "blue", "open"} {
			if strings.Contains(main, no) {
				t.Errorf("%s stands large: %s", no, main)
			}
		}
	}
	var d struct {
		Rooms []struct {
			Devices []struct {
				ID             string
				Main           map[string]any
				Metrics, Small []map[string]any
			}
		}
	}
	_, body = get(t, srv.URL+"/status.json")
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range d.Rooms {
		for _, dev := range r.Devices {
			s, _ := dev.Main["suspect"].(map[string]any)
			got[dev.ID] = fmt.Sprint(dev.Main["value"], dev.Main["text"], dev.Main["time"], " ", s["value"], s["text"], s["time"], " ", dev.Main["reason"])
		}
	}
	good, latest := h.now.Add(-20*time.Minute).Format(time.RFC3339), h.now.Add(-time.Minute).Format(time.RFC3339)
	for id, want := range map[string]string{
		"desk":  fmt.Sprint(21.5, nil, good, " ", 215, nil, latest, " ", out),
		"shelf": fmt.Sprint(nil, nil, nil, " ", 215, nil, latest, " ", out),
		"door":  fmt.Sprint(1, "closed", good, " ", 0, "open", latest, " stuck"),
		"lamp":  fmt.Sprint(nil, nil, nil, " ", nil, "blue", latest, " stuck"),
	} {
		if got[id] != want {
			t.Errorf("%s in JSON: %s, want %s", id, got[id], want)
		}
	}
}

// TestSuspectValuesAreMarkedAndNotDrawn: others of the same readings and steps are drawn.
func TestSuspectValuesAreMarkedAndNotDrawn(t *testing.T) {
	h := newFixture(t)
	desk := h.device("edge", "Desk", "", state("temperature_celsius", 21))
	var rs []reading.Reading
	for i := range 40 {
		r := air(desk, "", 20+float64(i%3), h.now.Add(-time.Duration(i)*20*time.Minute))
		switch i {
		case 5, 30:
			r.Fields["temperature_celsius"] = 215
			r.Fields["quality_code"], r.Text = 2, map[string]string{"suspect": "humidity_percent,temperature_celsius"}
		case 12:
			r.Fields["temperature_celsius"] = -40
			r.Fields["quality_code"], r.Text = 2, map[string]string{"suspect": "*"}
		case 20: // only another field is suspect
			r.Fields["quality_code"], r.Text = 2, map[string]string{"suspect": "humidity_percent"}
		case 25: // confirmed since
			r.Fields["quality_code"], r.Text = 0, map[string]string{"suspect": ""}
		}
		rs = append(rs, r)
	}
	h.ok(h.st.Write(t.Context(), rs))
	s := h.data().Rooms[0].Devices[0].Spark
	if s.About != "between 20.0 and 22.0 °C, without suspect values" || strings.Count(s.Doubts, "M") != 3 || strings.Count(s.Points, ",") != 37 {
		t.Errorf("%+v", s)
	}
	if _, body := get(t, listen(t, h.page()).URL+"/status"); !strings.Contains(body, `<path class="doubts" d="`+s.Doubts+`"/><polyline`) {
		t.Error("the marks are not on the page")
	}
}
