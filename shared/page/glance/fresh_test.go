package glance

import (
	"context"
	"html"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/page/status"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/wire"
)

func TestADeviceThatNobodyHasNamedIsNew(t *testing.T) {
	f := newFixture(t)
	f.Device("zigbee", "0xA4C1380000000001", "", pagetest.State("temperature_celsius", 21.26), pagetest.State("linkquality", 80))
	f.Device("zigbee", "Hall motion", "Hall", pagetest.State("occupancy", 0))
	f.Device("node", "attic", "", pagetest.State("online", 1))
	simulated := pagetest.State("simulated", 1)
	f.Device("edge", "toy", "", pagetest.State("co2_ppm", 500), simulated)
	got := f.tile("new")
	if got == nil {
		t.Fatal("no tile")
	}
	if text := words(got); strings.Count(text, "first seen") != 1 || !strings.Contains(text, "Temperature 21.3 °C · first seen") {
		t.Error(text)
	}
	if !strings.Contains(string(got.Body), `<option value="Hall">`) || !strings.Contains(string(got.Body), `name="name" value=""`) || strings.Contains(string(got.Body), "style=") {
		t.Error(got.Body)
	}
	if len(got.Needs) != 1 || !strings.HasPrefix(got.Needs[0].What, "A new device") {
		t.Errorf("%+v", got.Needs)
	}
	if s := f.glance().Snapshot(t.Context(), View{Name: Guest}); len(s.Needs) > 0 {
		t.Errorf("guests are asked: %+v", s.Needs)
	}
	f.yml = "devices: [{device: '0xa4c1380000000001', name: Fridge}]\n"
	if f.tile("new") != nil {
		t.Error("hearth.yml names it")
	}
	f.yml = ""
	f.OK(f.Store.SavePageDevice(t.Context(), store.PageDevice{Device: "0xa4c1380000000001", Since: now}, false))
	if f.tile("new") != nil {
		t.Error("it was to stay as it is")
	}
}

func TestADeviceIsNewForAWeek(t *testing.T) {
	f := newFixture(t)
	f.Device("edge", "desk", "", pagetest.State("co2_ppm", 500))
	f.yml = "tiles: [weather]\n" // a list of tiles does not hide it
	if f.tile("new") == nil {
		t.Error("no tile")
	}
	f.Now = f.Now.Add(8 * 24 * time.Hour)
	if f.tile("new") != nil {
		t.Error("still new after eight days")
	}
}

func TestATopicWithoutAMappingIsShownWithWhatItWouldRead(t *testing.T) {
	f := newFixture(t)
	reason := wire.Unmapped + "topic garden/barrel"
	sample := `{"level_percent":42,"temperature":7.5,"name":"<b>geheim</b>"}`
	f.OK(f.Store.Commit(t.Context(), "store", store.Batch{}, letters(store.DeadLetter{ID: "1", Function: "sensors", Topic: "garden/barrel", Reason: reason, First: now, Last: now, Count: 1, Size: int64(len(sample)), Sample: []byte(sample), Reported: now})))
	f.status.Dead = []status.Dead{{Function: "sensors", Reason: reason}}
	got := f.tile("new")
	if got == nil {
		t.Fatal("no tile")
	}
	text := html.UnescapeString(words(got))
	for _, want := range []string{"garden/barrel", "1 message waits", "42", "7.5 °C", "level_percent: $.level_percent"} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in %s", want, text)
		}
	}
	if body := string(got.Body); strings.Contains(body, "geheim") || strings.Contains(body, "<b>geheim") || strings.Contains(body, "<b>[secret]") {
		t.Error(body)
	}
}

// letters returns what stores dead letters in a transaction.
func letters(ls ...store.DeadLetter) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		return tx.SaveDevices(ctx, store.DeviceChange{Dead: ls})
	}
}
