package page

import (
	"fmt"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/testserver/browser"
)

// TestInABrowserListsShowWholeRows: those that fit; how many more there are stands below, and
// what is hidden takes no focus.
func TestInABrowserListsShowWholeRows(t *testing.T) {
	s := serve(t, func(h *pagetest.House) {
		var all []item.Item
		for n := range 30 {
			all = append(all, item.Item{ID: fmt.Sprint(n), Title: fmt.Sprintf("Task %d", n), URL: "https://tasks.example", At: h.Now.Add(-time.Hour), Attributes: map[string]string{}})
		}
		h.Items("asana", "Home", all...)
		h.Items("feeds", "news", all...)
	})
	b := browser.Start(t, s.address, 1280, 800)
	const cut = `[...document.querySelectorAll("#tile-today li:not([inert])")].filter((e) => e.getBoundingClientRect().bottom > document.querySelector("#tile-today .more").getBoundingClientRect().top + 1).length`
	const shown = `document.querySelectorAll("#tile-today li:not([inert])").length`
	b.Until(`document.querySelector("#tile-today .more").textContent === 30 - ` + shown + ` + " more"`)
	if n := b.Eval(shown); n == "0" || n == "20" || b.Eval(cut) != "0" {
		t.Errorf("%s rows are shown, %s of them are cut", n, b.Eval(cut))
	}
	before := b.Eval(shown)
	b.Resize(390, 844)
	b.Until(shown + ` === 20 && document.querySelector("#tile-today .more").textContent === "10 more"`)
	b.Resize(1280, 800)
	b.Until(shown + ` === ` + before + ` && document.querySelector("#tile-today .more").textContent === 30 - ` + before + ` + " more"`)
	clean(t, b)
}
