package source_test

import (
	"slices"
	"testing"

	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/secret"
)

// A password that is an ordinary word must not change the names that the owner chose.
func TestATargetKeepsItsNameIfThatIsAlsoASecret(t *testing.T) {
	h := start(t, thermometer())
	h.Env.Secrets = secret.InMemory(map[string]string{"some-password": "home"}, nil)
	if a, w := run(h, thermometer("home", "cabin"), ""); a.Status != "ok" || a.Stored != 4 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var places []string
	for _, r := range h.Readings("weather") {
		places = append(places, r.Tags["place"])
	}
	if slices.Sort(places); !slices.Equal(places, []string{"cabin", "home"}) {
		t.Errorf("places %q, want the owner's names", places)
	}
	items, err := h.Store.OpenItems(t.Context(), "weather", 10)
	if err != nil || !slices.ContainsFunc(items, func(i item.Item) bool { return i.Title == "look at [secret]" }) {
		t.Errorf("%+v, %v; want the upstream's text redacted", items, err)
	}
}
