package page

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver/browser"
	"github.com/hearth-home/hearth/shared/wire"
)

// withNews is a house with a new device, and a topic that no mapping reads.
func withNews(h *pagetest.House) {
	h.Device("zigbee", "0xA4C1380000000001", "", pagetest.State("temperature_celsius", 21.2))
	h.Device("edge", "desk", "", pagetest.State("co2_ppm", 612))
	sample := `{"level_percent":42,"temperature":7.5}`
	l := store.DeadLetter{ID: "1", Function: "sensors", Topic: "garden/barrel", Reason: wire.Unmapped + "topic garden/barrel", First: h.Now, Last: h.Now, Count: 1, Size: int64(len(sample)), Sample: []byte(sample), Reported: h.Now}
	h.OK(h.Store.Commit(h.T.Context(), "store", store.Batch{}, func(ctx context.Context, tx *store.Tx) error {
		return tx.SaveDevices(ctx, store.DeviceChange{Dead: []store.DeadLetter{l}})
	}))
}

func TestANewDeviceIsNamedAndATopicIsMapped(t *testing.T) {
	h := pagetest.New(t, now)
	withNews(h)
	p := pageOfHouse(h, "devices: [{device: desk, room: Office}]\n")
	post := func(form string) (int, string) {
		r := httptest.NewRequest("POST", "/device", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	const zigbee = "0xa4c1380000000001"
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	_, rest, _ := strings.Cut(w.Body.String(), `name="topic" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	mapping := url.QueryEscape("- {device: barrel, topic: garden/barrel, fields: {level_percent: $.level_percent}}")
	for _, step := range []struct {
		form string
		code int
		said string
	}{
		{"do=preview&topic=" + id, 200, "garden-barrel: Temperature 7.5 °C"},
		{"do=preview&topic=" + id + "&mapping=" + mapping, 200, "barrel: Level 42 %"},
		{"do=save&topic=" + id + "&mapping=nonsense", 400, "one element of devices"},
		{"do=save&topic=x", 404, "waits any more"},
		{"do=save&device=" + zigbee, 400, "give a name or a room"},
		{"do=save&device=nobody&name=x", 404, "not in the register"},
		{"do=save&device=desk&name=x", 409, "hearth.yml has an entry"},
		{"do=save&device=a&topic=b", 400, "a device or a topic"},
		{"do=preview&device=" + zigbee, 400, "do is"},
		{"do=save&device=" + zigbee + "&name=a%00b", 400, "control character"},
		{"do=save&device=" + zigbee + "&name=" + strings.Repeat("x", 101), 400, "longer than 100"},
		{"do=save&device=" + zigbee + "&room=Hall&name=x%zz", 400, "cannot be read"},
		{"do=save&device=" + zigbee + "&name=x&mapping=" + strings.Repeat("x", maxDeviceForm), 400, "too large"},
		{"do=save&device=" + zigbee + "&colour=x", 400, "unknown field"},
		{"do=save&device=" + zigbee + "&name=Fridge&room=Kitchen", 200, "Saved"},
		{"do=save&topic=" + id + "&mapping=" + mapping + "&name=Barrel&room=Garden", 200, "Saved"},
	} {
		if code, said := post(step.form); code != step.code || !strings.Contains(said, step.said) {
			t.Errorf("%.90s: %d %q, want %d %q", step.form, code, said, step.code, step.said)
		}
	}
	names := map[string]string{}
	ds, err := h.Store.Devices(t.Context())
	h.OK(err)
	for _, d := range ds {
		names[d.ID] = d.Name + " in " + d.Room
	}
	saved, err := h.Store.PageDevices(t.Context())
	if names[zigbee] != "Fridge in Kitchen" || names["barrel"] != "Barrel in Garden" || err != nil || len(saved) != 3 || !strings.Contains(saved[2].Mapping, "$.level_percent") {
		t.Errorf("%v %+v %v", names, saved, err)
	}
}

func TestInABrowserANewDeviceGetsAName(t *testing.T) {
	s := serve(t, withNews)
	b := browser.Start(t, s.address, 1280, 900)
	b.Until(`!!document.querySelector("#fresh-0xa4c1380000000001")`)
	b.Eval(`document.querySelector("#fresh-0xa4c1380000000001 [name=name]").value = "Fridge"`)
	b.Eval(`document.querySelector("#fresh-0xa4c1380000000001 [name=room]").value = "Kitchen"`)
	b.Eval(`document.querySelector("#fresh-0xa4c1380000000001").requestSubmit()`)
	b.Until(`!document.querySelector("#fresh-0xa4c1380000000001")`)
	b.Eval(`document.querySelector("#fresh-desk [data-do=dismiss]").click()`)
	b.Until(`!document.querySelector("#fresh-desk")`)
	b.Eval(`document.querySelector(".fresh details").open = true`)
	b.Eval(`document.querySelector(".fresh textarea").value = "- {topic: garden/barrel, fields: {level_percent: $.level_percent}}"`)
	b.Eval(`document.querySelector(".fresh [data-do=preview]").click()`)
	b.Until(`document.querySelector(".fresh .said").textContent.includes("Level 42 %")`)
	clean(t, b)
	ds, err := s.Store.Devices(t.Context())
	s.OK(err)
	if ds[0].Name != "Fridge" || ds[0].Room != "Kitchen" {
		t.Errorf("%+v", ds)
	}
}

func TestAMappingIsOneElementAndNothingElse(t *testing.T) {
	h := pagetest.New(t, now)
	withNews(h)
	p := pageOfHouse(h, "")
	body := request(p, http.MethodGet, "/", "").Body.String()
	_, rest, _ := strings.Cut(body, `name="topic" value="`)
	id, _, _ := strings.Cut(rest, `"`)
	const element = "- {device: barrel, topic: garden/barrel, fields: {level_percent: $.level_percent}}\n"
	for _, more := range []string{"house: {zone: Europe/Berlin}\n", "rules: []\n", "quiet: []\n", "---\nhouse: {zone: UTC}\n", "...\nx\n", "x: 1\n"} {
		w := request(p, http.MethodPost, "/device", url.Values{"do": {"save"}, "topic": {id}, "mapping": {element + more}}.Encode())
		if w.Code != http.StatusBadRequest {
			t.Errorf("%q: %d %s", more, w.Code, w.Body)
		}
	}
	bomb := "- {device: &a [x, x], topic: garden/barrel, fields: {a: *a}}\n"
	if w := request(p, http.MethodPost, "/device", url.Values{"do": {"save"}, "topic": {id}, "mapping": {bomb}}.Encode()); w.Code != http.StatusBadRequest {
		t.Errorf("an alias: %d %s", w.Code, w.Body)
	}
}
